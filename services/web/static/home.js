// The form for a new named server: its name becomes the last part of the address it is started at.
import "./local-times.js";

const form = document.getElementById("add-server");

form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const name = new FormData(form).get("server");
  location.assign(`${form.dataset.base}/${encodeURIComponent(String(name))}`);
});
