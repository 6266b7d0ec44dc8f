import manifest from "../../package.json" with { type: "json" };
import { nameOf, runtimeVersion, type Target, TARGETS } from "../targets.ts";

const { name, version } = manifest;

/** The text of a wheel for PyPI. */
export function wheelReadme(): string {
  return `# ${name}

Says whether a Celery worker on a Redis broker is alive, even when it is too busy to answer. \`pip install ${name}\` puts
one executable into the environment's \`bin\`; no Python starts when it runs, no application is imported.

\`\`\`yaml
    healthcheck:
      test: ["CMD", "${name}"]
      interval: 30s
      timeout: 10s
      start_period: 30s
\`\`\`

\`\`\`
healthy: alive: celery@5f3a1c9e02d4 answered in 3 ms
\`\`\`

It needs no arguments: the worker is found among the container's processes, and its name and broker are taken from it.
\`${name} --help\` has the options, \`${name} doctor\` says what is wrong, \`${name} watch\` shows every worker and queue.
`;
}

/** The text beside the files of a release. */
export function releaseReadme(): string {
  return `# ${name} ${version}

| file | |
|---|---|
${TARGETS.map(row).join("\n")}
| \`${name}-${version}-linux-….tar.gz\` | the same, with the man page and the licences |
| \`${name.replace("-", "_")}-${version}-py3-none-….whl\` | the same for \`pip install\`, from this folder or an index |
| \`linux-…/\` | the same executables, where \`Dockerfile.sidecar\` of the sources looks for them |
| \`${name}\`, \`${name}.1\` | the executable for the machine that built all this, and the man page |
| \`${name}-${version}.cdx.json\` | what the executables are made of (SBOM, CycloneDX) |
| \`LICENSE\`, \`THIRD-PARTY-LICENSES.txt\` | the licences, of Node, Bun and each package too |
| \`SHA256SUMS\` | of what is published: \`sha256sum --check SHA256SUMS\` |

Any Linux with glibc takes the first two, Alpine the others: copied to the wrong one an executable ends with
\`no such file or directory\`, as the kernel does not find its dynamic linker.

## The same bytes

Built twice from the same commit, by the same versions of npm's packages and of Debian's compiler, all files have the
same bytes. Two things differ by the machine that builds: the executables for glibc of another architecture than its own
have compiled code in them only where qemu can run their Node (\`${name} --version --verbose\` says \`code cache used\`, or
\`none\`), and those for musl hold eleven kilobytes of its compiler's libstdc++.
`;
}

function row(target: Target): string {
  const { libc, machine } = target;
  const [runtime, needs] =
    libc === "glibc"
      ? [
          `Node ${runtimeVersion(target)}`,
          "glibc 2.28, libstdc++ and libgcc: Debian, Ubuntu, RHEL, `python:3.x-slim`",
        ]
      : [`Bun ${runtimeVersion(target)}`, "musl alone: Alpine, `python:3.x-alpine`"];
  return `| \`${name}-${version}-${nameOf(target)}\` | for ${machine}; by ${runtime}; needs ${needs} |`;
}
