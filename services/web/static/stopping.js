// Waits until a server has stopped, then goes on. Asks once a second; errors are waited out.
const page = document.querySelector("[data-server-url]");

async function look() {
  try {
    const response = await fetch(page.dataset.serverUrl, {
      headers: { accept: "application/json", "x-xsrftoken": page.dataset.xsrf },
    });
    if (response.status === 404) return location.assign(page.dataset.after);
    if (response.ok && (await response.json()).pending !== "stop") return location.assign(page.dataset.after);
  } catch {
    // The hub is away for a moment; the page stays.
  }
  setTimeout(look, 1000);
}

if (page) setTimeout(look, 700);
