"use strict";
// Suggest what a field may hold while somebody types. Without this the button Find does it.
for (const field of document.querySelectorAll("input[data-find]")) {
  const list = document.getElementById(field.getAttribute("list"));
  let waiting = 0;
  let asked = "";
  const ask = async () => {
    const text = field.value.trim();
    if (text.length < 2 || text === asked) return;
    asked = text;
    const answer = await fetch(`${field.dataset.find}?text=${encodeURIComponent(text)}`);
    if (!answer.ok || text !== field.value.trim()) return;
    list.replaceChildren(...(await answer.json()).map((one) => {
      const option = document.createElement("option");
      option.value = one.subject;
      option.label = one.said;
      return option;
    }));
  };
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => ask().catch(() => {}), 150);
  });
}
