"use strict";
// Read a file of this computer into a field. Without this its text is pasted there.
for (const part of document.querySelectorAll("[data-file]")) {
  const field = document.getElementById(part.dataset.file);
  const input = part.querySelector("input");
  part.hidden = false;
  input.addEventListener("change", async () => {
    if (input.files.length) field.value = await input.files[0].text();
  });
}
