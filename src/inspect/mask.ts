/** What replaces a secret; Celery's own mask (celery/app/utils.py `filter_hidden_settings`). */
export const MASK = "********";

/** Makes a text fit to be shown. */
export type Hide = (text: string) => string;
