/** What is found of Flower; its address is masked. */
export interface FlowerFacts {
  readonly flower: { readonly url: string } & (
    | Readonly<{ kind: "lists"; online: number; answering: number; missing: readonly string[] }>
    /** It wants a login, by basic auth or on a page for people, and whether it was given one. */
    | Readonly<{ kind: "login"; by: "basic" | "page"; isGiven: boolean }>
    | Readonly<{ kind: "unusable"; detail: string }>
  );
}
