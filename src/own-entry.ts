/**
 * The table's own entry of that name. A name from outside may equal a name that every object inherits, such as
 * `constructor`.
 */
export function ownEntry<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}
