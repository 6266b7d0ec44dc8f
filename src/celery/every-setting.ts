import { asObject } from "../pidbox/envelope.ts";
import { similarTo } from "../slips.ts";
import { readConf, settingsRead, USUAL_NAMESPACE } from "./settings.ts";

/**
 * The settings of Celery 5.0 to 5.7 that settings.ts does not read. Each row has the beginning of today's name, the
 * beginning of the old one, and the rest of both (celery/app/defaults.py). A check loads none of them.
 */
const OTHERS: readonly (readonly [today: string, old: string, rests: string])[] = [
  ["", "CELERY_", "accept_content imports include timezone"],
  ["", "", "enable_utc"],
  [
    "beat_",
    "CELERYBEAT_",
    "cron_starting_deadline enable_remote_control remote_control_max_tick_age sync_every",
  ],
  [
    "broker_",
    "BROKER_",
    `channel_error_retry connection_max_retries connection_retry connection_retry_on_startup
    connection_timeout failover_strategy heartbeat heartbeat_checkrate host login_method
    native_delayed_delivery_queue_type password pool_acquire_timeout pool_limit port read_url transport
    use_ssl user vhost write_url`,
  ],
  ["cache_", "CELERY_CACHE_", "backend backend_options"],
  [
    "cassandra_",
    "CASSANDRA_",
    `auth_kwargs auth_provider bundle_path entry_ttl keyspace options port read_consistency servers table
    write_consistency`,
  ],
  ["s3_", "S3_", "access_key_id base_path bucket endpoint_url region secret_access_key"],
  [
    "azureblockblob_",
    "AZUREBLOCKBLOB_",
    `base_path connection_timeout container_name read_timeout retry_increment_base
    retry_initial_backoff_sec retry_max_attempts`,
  ],
  ["gcs_", "GCS_", "base_path bucket project ttl"],
  ["control_", "CONTROL_", "exchange queue_durable queue_exclusive queue_expires queue_ttl"],
  ["couchbase_", "CELERY_COUCHBASE_", "backend_settings"],
  ["arangodb_", "CELERY_ARANGODB_", "backend_settings"],
  ["mongodb_", "CELERY_MONGODB_", "backend_settings"],
  [
    "cosmosdbsql_",
    "COSMOSDBSQL_",
    "collection_name consistency_level database_name max_retry_attempts max_retry_wait_time",
  ],
  [
    "event_",
    "CELERY_EVENT_",
    "exchange queue_durable queue_exclusive queue_expires queue_prefix queue_ttl serializer",
  ],
  [
    "redis_",
    "CELERY_REDIS_",
    `backend_use_ssl db host max_connections password port retry_on_timeout socket_connect_timeout
    socket_keepalive socket_timeout username`,
  ],
  ["result_", "RESULT_", "accept_content"],
  [
    "result_",
    "CELERY_RESULT_",
    `backend_always_retry backend_base_sleep_between_retries_ms backend_max_retries
    backend_max_sleep_between_retries_ms cache_max chord_expires chord_join_timeout chord_retry_interval
    compression exchange exchange_type expires extended failure_expires persistent serializer`,
  ],
  ["elasticsearch_", "CELERY_ELASTICSEARCH_", "max_retries retry_on_timeout save_meta_as_text timeout"],
  ["security_", "CELERY_SECURITY_", "cert_store certificate digest key key_password"],
  ["database_", "DATABASE_", "create_tables_at_setup engine_callback table_schemas"],
  ["database_", "CELERY_DATABASE_", "engine_options short_lived_sessions table_names url"],
  [
    "task_",
    "CELERY_",
    `acks_late acks_on_failure acks_on_failure_or_timeout acks_on_timeout allow_error_cb_on_chord_header
    always_eager annotations compression create_missing_queue_exchange_type create_missing_queue_type
    create_missing_queues default_delivery_mode default_exchange default_exchange_type default_priority
    default_queue default_queue_type default_rate_limit default_routing_key eager_propagates
    ignore_result inherit_parent_priority protocol publish_retry publish_retry_policy queue_max_priority
    queues reject_on_worker_lost remote_tracebacks repr_maxlevels retry_on_worker_lost routes
    send_sent_event serializer store_eager_result store_errors_even_if_ignored track_started`,
  ],
  [
    "worker_",
    "CELERYD_",
    `agent autoscaler cancel_long_running_tasks_on_connection_loss consumer deduplicate_successful_tasks
    detect_quorum_queues direct disable_prefetch disable_rate_limits enable_prefetch_count_reduction
    enable_remote_control enable_soft_shutdown_on_idle eta_task_limit hijack_root_logger log_color
    log_datefmt log_format lost_wait pool_putlocks pool_restarts pool_start_method prefetch_multiplier
    proc_alive_timeout redirect_stdouts redirect_stdouts_level send_task_events soft_shutdown_timeout
    state_db task_log_datefmt task_log_format timer timer_precision`,
  ],
];

/** Old names that follow no rule. */
const ODD: readonly (readonly [today: string, old: string])[] = [
  ["database_engine_options", "CELERY_RESULT_ENGINE_OPTIONS"],
  ["database_short_lived_sessions", "CELERY_RESULT_DB_SHORT_LIVED_SESSIONS"],
  ["database_table_names", "CELERY_RESULT_DB_TABLENAMES"],
  ["database_url", "CELERY_RESULT_DBURI"],
  ["result_cache_max", "CELERY_MAX_CACHED_RESULTS"],
  ["result_expires", "CELERY_TASK_RESULT_EXPIRES"],
  ["task_compression", "CELERY_MESSAGE_COMPRESSION"],
  ["task_eager_propagates", "CELERY_EAGER_PROPAGATES_EXCEPTIONS"],
  ["task_protocol", "CELERY_TASK_PROTOCOL"],
  ["task_publish_retry", "CELERY_TASK_PUBLISH_RETRY"],
  ["task_publish_retry_policy", "CELERY_TASK_PUBLISH_RETRY_POLICY"],
  ["task_send_sent_event", "CELERY_SEND_TASK_SENT_EVENT"],
  ["task_serializer", "CELERY_TASK_SERIALIZER"],
  ["worker_direct", "CELERY_WORKER_DIRECT"],
  ["worker_disable_rate_limits", "CELERY_DISABLE_RATE_LIMITS"],
  ["worker_enable_remote_control", "CELERY_ENABLE_REMOTE_CONTROL"],
  ["worker_lost_wait", "CELERYD_WORKER_LOST_WAIT"],
  ["worker_redirect_stdouts", "CELERY_REDIRECT_STDOUTS"],
  ["worker_redirect_stdouts_level", "CELERY_REDIRECT_STDOUTS_LEVEL"],
  ["worker_send_task_events", "CELERY_SEND_EVENTS"],
];

/** Old names by today's names. */
const OLD: ReadonlyMap<string, string> = new Map([
  ...settingsRead(),
  ...OTHERS.flatMap(([today, old, rests]) =>
    rests.split(/\s+/).map((rest) => [today + rest, old + rest.toUpperCase()] as const),
  ),
  ...ODD,
]);

const BY_OLD: ReadonlyMap<string, string> = new Map([...OLD].map(([name, old]) => [old, name]));

/** A setting under the name that the application uses. */
export type NamedSetting = readonly [name: string, value: unknown];

/** The settings of one application, in the order of names. */
export interface SortedSettings {
  readonly celerys: readonly NamedSetting[];
  /** The other entries of its configuration. With Django these are all of Django's settings. */
  readonly applications: readonly NamedSetting[];
}

/** Separates Celery's settings from the application's own. Null: this is no answer to `conf`. */
export function sortSettings(conf: unknown): SortedSettings | null {
  const told = readConf(conf);
  if (told === null) return null;
  const entries = Object.entries(told.all).sort(([a], [b]) => (a < b ? -1 : 1));
  const isCelerys = ([name]: NamedSetting) => isForCelery(name, told.namespace);
  return {
    celerys: entries.filter(isCelerys),
    applications: entries.filter((entry) => !isCelerys(entry)),
  };
}

/**
 * Finds a setting by any of its names: today's, Celery 3's, with the namespace, or the application's own.
 *
 * @param conf an answer with defaults. It has the value in effect under Celery's own name
 * @returns null: the application has no such setting
 */
export function findSetting(conf: unknown, name: string): NamedSetting | null {
  const told = readConf(conf);
  if (told === null) return null;
  const { all, namespace } = told;
  const wanted = nameOfToday(name, namespace);
  const names = Object.keys(all).filter((one) => one === name || nameOfToday(one, namespace) === wanted);
  const own = wanted === null ? name : (names.find((one) => one !== wanted) ?? wanted);
  const counting = wanted !== null && Object.hasOwn(all, wanted) ? wanted : own;
  return Object.hasOwn(all, counting) ? [own, all[counting]] : null;
}

/** Suggests settings for a name that no application has. */
export function settingsLike(name: string, confs: readonly unknown[]): readonly string[] {
  const known = [...new Set([...OLD.keys(), ...confs.flatMap((conf) => Object.keys(asObject(conf) ?? {}))])];
  const similar = similarTo(name, known);
  if (similar !== null) return [similar];
  return known.filter((one) => one.endsWith(`_${name}`)).slice(0, MOST_LIKE);
}

/** The number of suggestions. */
const MOST_LIKE = 3;

/** Names with the namespace are meant for Celery, even when an extension or a newer Celery reads them. */
function isForCelery(name: string, namespace: string | null): boolean {
  return (
    /^CELERY(?:D|BEAT)?_/.test(name) ||
    (namespace !== null && name.startsWith(`${namespace}_`)) ||
    nameOfToday(name, namespace) !== null
  );
}

/** Null: Celery has no such setting. */
function nameOfToday(name: string, namespace: string | null): string | null {
  if (OLD.has(name)) return name;
  const rests = [USUAL_NAMESPACE, ...(namespace === null ? [] : [namespace])].flatMap((one) =>
    name.startsWith(`${one}_`) ? [name.slice(one.length + 1).toLowerCase()] : [],
  );
  return BY_OLD.get(name) ?? rests.find((rest) => OLD.has(rest)) ?? null;
}
