import { createWriteStream } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { execa } from "execa";

/**
 * Writes a `.tar.gz` with one folder. The same files give the same bytes.
 *
 * @param path absolute; the folder in it has the same name without `.tar.gz`
 * @param files absolute paths by their names inside
 * @param time of all its files, in seconds since 1970
 */
export async function writeTarball(
  path: string,
  files: Readonly<Record<string, string>>,
  time: number,
): Promise<void> {
  const stage = await mkdtemp(join(tmpdir(), "celery-probe-tarball-"));
  const folder = path.replace(/^.*\//, "").replace(/\.tar\.gz$/, "");
  try {
    await mkdir(join(stage, folder));
    for (const [name, from] of Object.entries(files)) await copyFile(from, join(stage, folder, name));
    const tar = execa(
      "tar",
      [
        ...["--create", "--format=ustar", "--sort=name", `--mtime=@${time}`, "--mode=u=rwX,go=rX"],
        ...["--owner=0", "--group=0", "--numeric-owner", `--directory=${stage}`, folder],
      ],
      { stdout: "pipe", buffer: false, encoding: "buffer" },
    );
    // Node's gzip writes neither a name nor a time.
    await Promise.all([tar, pipeline(tar.stdout, createGzip(), createWriteStream(path))]);
  } finally {
    await rm(stage, { recursive: true });
  }
}
