"use strict";
// Show how a sync goes, as it happens. Without this the page tells it when it is loaded again.
const box = document.getElementById("sync");
if (box) {
  const progress = box.querySelector("progress");
  const told = box.querySelector(".told");
  const results = box.querySelector(".results");
  let wasRunning = box.dataset.running === "1";
  const show = (job) => {
    const done = new Set(job.results.map((one) => one.feed)).size;
    box.hidden = false;
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
      wasRunning = true;
      show(job);
    } else if (wasRunning) {
      source.close();
      location.reload();
    }
  });
}
