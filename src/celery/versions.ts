/** From 5.2 on `active` takes `safe`; before it, arguments are sent as they are. */
export function describesSafely(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > 5 || (major === 5 && minor >= 2);
}
