import { expect, test } from "vitest";
import { isFrozen } from "../../src/worker/freezer.ts";
import { fakeProc } from "./fake-proc.ts";

/** Recorded on a machine with both hierarchies. */
const HYBRID =
  "9:name=systemd:/\n6:freezer:/docker/5f3a\n4:memory:/x\n1:cpu,cpuacct:/\n0::/kube.slice/pod/c1\n";
const EVENTS = (frozen: 0 | 1) => `populated 1\nfrozen ${frozen}\n`;

const frozen = (cgroup: string, files: Readonly<Record<string, string | null>>, state = "S") =>
  isFrozen(fakeProc([{ pid: 20, state }], { "/proc/20/cgroup": cgroup, ...files }), 20, state);

test.each<[string, string, Record<string, string>]>([
  ["its group of version 2 is", "0::/c1\n", { "/sys/fs/cgroup/c1/cgroup.events": EVENTS(1) }],
  [
    "one that its group lies in is",
    "0::/a/b/c1\n",
    { "/sys/fs/cgroup/a/b/c1/cgroup.events": EVENTS(0), "/sys/fs/cgroup/a/cgroup.events": EVENTS(1) },
  ],
  [
    "version 2 is mounted beside version 1",
    HYBRID,
    { "/sys/fs/cgroup/unified/kube.slice/pod/c1/cgroup.events": EVENTS(1) },
  ],
  ["its group of version 1 is", HYBRID, { "/sys/fs/cgroup/freezer/docker/5f3a/freezer.state": "FROZEN\n" }],
  [
    "its group of version 1 is about to be",
    HYBRID,
    { "/sys/fs/cgroup/freezer/docker/freezer.state": "FREEZING\n" },
  ],
  [
    "its cgroup is out of reach and it waits in version 2",
    "0::/../c1\n",
    { "/proc/20/wchan": "do_freezer_trap" },
  ],
  ["the compiler has put that into its caller", "0::/../c1\n", { "/proc/20/wchan": "get_signal" }],
  ["there is no cgroup file and it waits in version 1", "", { "/proc/20/wchan": "__refrigerator" }],
])("isFrozen is true when %s", (_, cgroup, files) => {
  expect(frozen(cgroup, files)).toBe(true);
});

test.each<[string, string, Record<string, string | null>, string?]>([
  ["nothing is", HYBRID, { "/sys/fs/cgroup/unified/kube.slice/pod/c1/cgroup.events": EVENTS(0) }],
  ["version 1 has thawed", HYBRID, { "/sys/fs/cgroup/freezer/docker/5f3a/freezer.state": "THAWED\n" }],
  ["the root says so, which is our own group", "0::/\n", { "/sys/fs/cgroup/cgroup.events": EVENTS(1) }],
  ["a path leads out of our namespace", "0::/../c1\n", { "/sys/fs/cgroup/../c1/cgroup.events": EVENTS(1) }],
  [
    "a controller is only called alike",
    "6:nofreezer:/c1\n",
    { "/sys/fs/cgroup/freezer/c1/freezer.state": "FROZEN\n" },
  ],
  ["nothing can be read", "0::/c1\n", { "/proc/20/wchan": null, "/sys/fs/cgroup/c1/cgroup.events": null }],
  ["where it waits is not told", "", { "/proc/20/wchan": "0" }],
  ["it is stopped by a signal", "", { "/proc/20/wchan": "get_signal" }, "T"],
])("isFrozen is false when %s", (_, cgroup, files, state) => {
  expect(frozen(cgroup, files, state)).toBe(false);
});
