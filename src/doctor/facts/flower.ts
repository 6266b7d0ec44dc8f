/** What is found of Flower. */
export interface FlowerFacts {
  readonly flower:
    /** Masked addresses. */
    | {
        readonly kind: "lists";
        readonly url: string;
        /** What its server says of itself; null: nothing. */
        readonly server: string | null;
        readonly online: number;
        readonly listed: number;
        /** How many workers answer here, and those of them that it does not list as online. */
        readonly answering: number;
        readonly missing: readonly string[];
      }
    | { readonly kind: "login"; readonly url: string; readonly isGiven: boolean }
    | {
        readonly kind: "other";
        readonly url: string;
        readonly status: number;
        readonly location: string | null;
      }
    | { readonly kind: "unreachable"; readonly url: string; readonly detail: string };
}
