import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import type { BrowserContextOptions } from "playwright-core";
import { install, installMissing } from "../test/system/debian.ts";
import { startBrowser, visit } from "../test/world/browser.ts";
import { startScriptedServe } from "../test/world/scripted-serve.ts";
import { shopFleet } from "../test/world/shop-fleet.ts";

const PICTURES: Readonly<Record<string, BrowserContextOptions>> = {
  "serve-light.png": { colorScheme: "light", viewport: { width: 1_400, height: 980 } },
  "serve-dark.png": { colorScheme: "dark", viewport: { width: 1_400, height: 980 } },
  "serve-phone.png": {
    ...{ colorScheme: "light", viewport: { width: 360, height: 900 }, deviceScaleFactor: 2 },
    ...{ isMobile: true, hasTouch: true },
  },
};

/** The page uses the font of the viewer's system. Here it is a font that looks the same on every machine. */
const FONTS = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
<include>/etc/fonts/fonts.conf</include>
<match><test name="family" qual="any"><string>sans-serif</string></test>
<test name="family" compare="not_eq" qual="all"><string>monospace</string></test>
<edit name="family" mode="prepend" binding="strong"><string>Inter</string></edit></match>
</fontconfig>`;

/** Takes the pictures of the page into a folder. Returns their names. */
export async function pagePictures(folder: string): Promise<readonly string[]> {
  await installMissing({ chromium: "chromium", pngquant: "pngquant" });
  if (!existsSync("/usr/share/fonts/opentype/inter")) await install(["fonts-inter"]);
  const scratch = await mkdtemp(join(tmpdir(), "celery-probe-fonts-"));
  const fonts = join(scratch, "fonts.conf");
  await writeFile(fonts, FONTS);
  const browser = await startBrowser({ FONTCONFIG_FILE: fonts });
  try {
    for (const [name, options] of Object.entries(PICTURES)) {
      await using serve = await startScriptedServe(shopFleet(12));
      await using visitor = await visit(browser, serve.url, options);
      await visitor.page.locator("tr.worker").first().waitFor();
      for (const secondsAgo of [10, 8, 6, 4, 2, 0]) serve.tell(shopFleet(secondsAgo));
      await visitor.page.getByText("grows by").waitFor();
      const path = join(folder, name);
      await visitor.page.screenshot({ path });
      await execa("pngquant", ["--force", "--strip", "--output", path, path]);
    }
  } finally {
    await browser.close();
    await rm(scratch, { recursive: true });
  }
  return Object.keys(PICTURES);
}
