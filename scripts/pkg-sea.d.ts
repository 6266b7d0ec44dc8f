/** The part of pkg that build.mjs calls; pkg ships no types for it. */
declare module "pkg/lib-es5/sea.js" {
  interface Target {
    readonly nodeRange: string;
    readonly platform: string;
    readonly arch: string;
    /** Absolute: pkg changes its working folder. */
    readonly output: string;
  }
  const sea: {
    default: (
      entry: string,
      options: { readonly targets: readonly Target[]; readonly nodePath: string; readonly seaConfig: object },
    ) => Promise<void>;
  };
  export default sea;
}
