"use strict";
// Show how a sync goes, as it happens. Without this the page tells it when it is loaded again.
const box = document.getElementById("sync");
if (box && box.dataset.running === "1") {
  const progress = box.querySelector("progress");
  const told = box.querySelector(".told");
  const results = box.querySelector(".results");
  const show = (job) => {
    const done = new Set(job.results.map((one) => one.feed)).size;
    progress.max = Math.max(1, job.feeds.length);
    progress.value = done;
    told.textContent = `${done} of ${job.feeds.length} feeds`;
    results.replaceChildren(...job.results.map((one) => {
      const item = document.createElement("li");
      item.textContent = `${one.feed}: ${one.status}${one.message ? `; ${one.message}` : ""}`;
      return item;
    }));
  };
  const source = new EventSource(box.dataset.live);
  source.addEventListener("sync", (event) => {
    const job = JSON.parse(event.data);
    if (job.outcome === "running") {
      show(job);
    } else {
      source.close();
      location.reload();
    }
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) told.textContent += "; load this page again to see more";
  });
}
