/** What is found of Flower; addresses are masked. */
export interface FlowerFacts {
  readonly flower: { readonly url: string } & (
    | {
        readonly kind: "lists";
        readonly online: number;
        /** How many workers answer here, and those of them that it does not list as online. */
        readonly answering: number;
        readonly missing: readonly string[];
      }
    | { readonly kind: "login"; readonly isGiven: boolean }
    | { readonly kind: "other"; readonly status: number; readonly location: string | null }
    | { readonly kind: "unreachable"; readonly detail: string }
  );
}
