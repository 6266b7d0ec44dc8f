import { countAges, serverClock } from "./ages.ts";
import { brokerPart } from "./broker.ts";
import { part, write } from "./element.ts";
import type { Fleet } from "./fleet.ts";
import { headline } from "./headline.ts";
import { linkPart } from "./link.ts";
import { newsReader } from "./news.ts";
import type { Wish } from "./order.ts";
import { queuesPart } from "./queues.ts";
import { openStream } from "./stream.ts";
import { summaryPart } from "./summary.ts";
import { keptWish, keepWish } from "./wish.ts";
import { workersPart } from "./workers.ts";

/** Milliseconds that never jump. */
const now = () => performance.now();

const clock = serverClock(now);
const news = newsReader((sentence) => {
  write(part("news"), sentence);
});
const showSummary = summaryPart();
const showBroker = brokerPart();
const queues = queuesPart();
const showLink = linkPart();

let wish = keptWish();
const showWorkers = workersPart({ wish: () => wish, change });

let fleet: Fleet | null = null;
let isDrawing = false;

const stream = openStream(now, take, tick);

function take(newest: Fleet): void {
  // The executable was replaced while the page was open. The new one has its own page.
  if (fleet !== null && fleet.workers.version !== newest.workers.version) {
    location.reload();
    return;
  }
  fleet = newest;
  clock.set(newest.workers.at);
  news(newest, now());
  queues.note(newest.queues.queues, Date.parse(newest.queues.at) / 1_000);
  showSummary(headline(newest), newest.workers.summary);
  showLink(stream.link(), fleet, clock.nowMs(), now());
  if (isDrawing) return;
  isDrawing = true;
  // A hidden page gets no frame, so it draws nothing until the viewer looks at it.
  requestAnimationFrame(() => {
    isDrawing = false;
    draw();
  });
}

function draw(): void {
  if (fleet === null) return;
  showWorkers(fleet.workers.workers, clock.nowMs());
  queues.show(fleet.queues.queues);
  showBroker(fleet.workers);
  write(part("version"), fleet.workers.version);
  countAges(clock.nowMs());
}

function change(wanted: Partial<Wish>): void {
  wish = { ...wish, ...wanted };
  keepWish(wish);
  draw();
}

function tick(): void {
  stream.tick();
  showLink(stream.link(), fleet, clock.nowMs(), now());
  countAges(clock.nowMs());
}

document.addEventListener("keydown", (event) => {
  const filter = part("filter") as HTMLInputElement;
  if (event.key === "/" && document.activeElement !== filter) {
    event.preventDefault();
    filter.focus();
    filter.select();
  }
  if (event.key === "Escape" && (wish.words !== "" || wish.status !== null)) {
    filter.value = "";
    change({ words: "", status: null });
  }
});

showSummary(headline(null), null);
setInterval(tick, 1_000);
