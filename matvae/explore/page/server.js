// What is asked of the server, and what is said when it fails or does not answer.

const $ = (id) => document.getElementById(id);

let waiting = 0, back = () => {};

// Call `done` with what the server tells of its model, once it answers again.
export function whenBack(done) { back = done; }

// Ask for an answer; an error has a message for the user, or none if that is told already.
export async function ask(path, body, options = {}) {
  let response;
  try {
    response = await fetch(path, {
      method: body === undefined ? "GET" : "POST",
      headers: body instanceof Blob ? { "Content-Type": "application/octet-stream" } : { "Content-Type": "application/json" },
      body: body === undefined || body instanceof Blob ? body : JSON.stringify(body),
      ...options,
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    gone();
    throw new Error("");
  }
  if (response.ok) return response;
  const type = response.headers.get("content-type") || "";
  const told = type.startsWith("application/json") ? (await response.json()).error : null;
  throw new Error(told || (response.status === 403 ? await response.text()
    : "The server failed on this; its terminal says why. Go on with another state."));
}

export function problem(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

export function report(error) {
  if (error.name !== "AbortError" && error.message) problem(error.message);
}

function gone() {
  problem("The server does not answer. Start matvae explore again with the same port; the page then goes on from here.");
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    try {
      const found = await (await fetch("/api/model")).json();
      problem("");
      back(found);
    } catch { gone(); }
  }, 2000);
}
