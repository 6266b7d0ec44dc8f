/** Replaces a secret. Celery uses the same mask (celery/app/utils.py `filter_hidden_settings`). */
export const MASK = "********";

/** Hides the secrets in a text. */
export type Hide = (text: string) => string;
