import { cp } from "node:fs/promises";
import { join } from "node:path";
import { type CeleryVenv, celeryVenv } from "../test/world/python.ts";

const TEMPLATES = join(import.meta.dirname, "django");

/** The imports in the settings and tasks of a project of usual size. */
const PACKAGES = [
  "django==5.2.19",
  "djangorestframework==3.18.3",
  "django-filter==26.2",
  "django-celery-beat==2.9.0",
  "django-celery-results==2.6.0",
  "django-cors-headers==4.9.0",
  "sentry-sdk==2.75.0",
  "requests==2.34.2",
];

/** Each has five models and five tasks. */
const APPS = ["accounts", "billing", "catalog", "delivery", "orders", "pages", "reports", "support"];

/** A Django project in the form that `celery -A proj` finds. */
export interface DjangoProject {
  /** It has Celery, Django and the imports of the project. */
  readonly venv: CeleryVenv;
  /** For `celery --workdir`. */
  readonly folder: string;
  /** Variables that its settings read, besides the broker. */
  readonly env: Readonly<Record<string, string>>;
}

/** Writes a project of {@link APPS} into `folder` and makes the venv that it needs. */
export async function djangoProject(folder: string): Promise<DjangoProject> {
  await cp(join(TEMPLATES, "proj"), join(folder, "proj"), { recursive: true });
  for (const app of APPS) await cp(join(TEMPLATES, "template_app"), join(folder, app), { recursive: true });
  const venv = await celeryVenv("5.7.0", { also: { name: "django", packages: PACKAGES } });
  return { venv, folder, env: { PROJECT_APPS: APPS.join(",") } };
}
