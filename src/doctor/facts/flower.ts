/** What was found out about Flower. Passwords in its address are masked. */
export interface FlowerFacts {
  readonly flower: { readonly url: string } & (
    | Readonly<{ kind: "lists"; online: number; answering: number; missing: readonly string[] }>
    /** Flower wants a login: by basic auth, or on a web page. `isGiven`: a login was sent. */
    | Readonly<{ kind: "login"; by: "basic" | "page"; isGiven: boolean }>
    | Readonly<{ kind: "unusable"; detail: string }>
  );
}
