/** The nodes that must answer. */
export type Asked =
  | { readonly kind: "nodes"; readonly nodes: readonly string[] }
  | { readonly kind: "any"; readonly atLeast: number };
