/** The parts of core/v1 PodSpec that the examples use. */
export interface PodSpec {
  readonly shareProcessNamespace?: boolean;
  readonly securityContext?: { readonly runAsUser?: number; readonly runAsGroup?: number };
  readonly initContainers?: readonly ContainerSpec[];
  readonly containers: readonly ContainerSpec[];
  readonly volumes?: readonly { readonly name: string; readonly emptyDir: object }[];
}

/** One of its containers. */
export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value: string }[];
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
  readonly securityContext?: { readonly readOnlyRootFilesystem?: boolean };
  /** For an init container that runs as long as the pod. */
  readonly restartPolicy?: "Always";
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
}

export interface Probe {
  readonly exec?: { readonly command: readonly string[] };
  readonly httpGet?: { readonly path: string; readonly port: number };
  readonly periodSeconds: number;
  readonly timeoutSeconds?: number;
  readonly failureThreshold?: number;
}

/** The defaults of the API server (kubernetes.io/docs/concepts/workloads/pods/probes). */
export const DEFAULTS = { timeoutSeconds: 1, failureThreshold: 3 } as const;
