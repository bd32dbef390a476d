// The thorough search: started on the server, asked how far it is, cancelled, and its candidates listed.
// The tab holds the identifier, so that a reloaded page goes on with its search as long as the server knows it.

import { ask } from "./server.js";
import { number } from "./words.js";

const $ = (id) => document.getElementById(id);
const EVERY = 700, KEY = "matvae search";  // Milliseconds from one question to the next.

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export class Search {
  // `go` shows the structure of {latent, seed, sample}.
  constructor(go) {
    Object.assign(this, { go, id: null, stage: "", cancelled: false });
    $("search-cancel").addEventListener("click", () => this.cancel());
  }

  // Start a search, and return the command that searches for the same in a terminal; null if it cannot start.
  async start(request, measures) {
    if (this.id) { this.say("The search is running already. Cancel it to start another one."); return null; }
    this.id = "starting";
    this.say("The thorough search begins.");
    $("candidates").replaceChildren();
    try {
      const found = await (await ask("/api/search", request)).json();
      if (found.refused) throw new Error(found.refused);
      this.follow(found.id, measures);
      return found.command;
    } catch (error) {
      this.end(error.message || "The server does not answer; start matvae explore again.");
      return null;
    }
  }

  // Go on with the search that this tab started before it was loaded again.
  resume(measures) {
    const id = sessionStorage.getItem(KEY);
    if (id) this.follow(id, measures);
  }

  follow(id, measures) {
    Object.assign(this, { id, measures, stage: "", cancelled: false });
    sessionStorage.setItem(KEY, id);
    $("search-cancel").disabled = false;
    this.question();
  }

  async question() {
    let found;
    try { found = await (await ask(`/api/search/${this.id}`)).json(); } catch (error) {
      this.end(error.message || "The search is gone with the server, which does not answer. Start it again when the server runs.");
      return;
    }
    if (found.state === "running") {
      this.show(found);
      setTimeout(() => this.question(), EVERY);
    } else if (found.state === "done") {
      const { length } = found.candidates, met = found.candidates.filter(({ reason }) => !reason).length;
      // Asked for again, it is still there when the page is loaded again.
      this.end([`The thorough search found ${length} ${length === 1 ? "candidate" : "candidates"} in ${Math.ceil(found.seconds)} s; ${met} of ${length} as requested.`,
        found.summary, ...found.notes].filter(Boolean).join(" "), true);
      this.list(found);
    } else if (found.state === "gone") {
      this.end("The search is gone: the server was started again, or has forgotten it. Start it again.");
    } else this.end(found.error || found.why);
  }

  // The stage is announced once; each step of it is only seen.
  show({ stage, done, total }) {
    $("search-running").hidden = false;
    $("search-stage").textContent = this.cancelled ? "Cancelling …" : total ? `${stage}: ${done} of ${total}` : `${stage} …`;
    if (total) Object.assign($("search-progress"), { max: total, value: done });
    else $("search-progress").removeAttribute("value");
    if (total && stage !== this.stage && !this.cancelled) this.say(`Thorough search: ${stage.toLowerCase()}.`, true);
    this.stage = total ? stage : this.stage;
  }

  async cancel() {
    this.cancelled = true;
    $("search-cancel").disabled = true;
    this.say("Cancelling the thorough search …");
    // Whether it has ended is what the next question tells.
    try { await ask(`/api/search/${this.id}`, undefined, { method: "DELETE" }); } catch { /* so does this */ }
  }

  end(text, keeps = false) {
    this.id = null;
    if (!keeps) sessionStorage.removeItem(KEY);
    // Whoever was on the button that goes is where the next search starts.
    if (document.activeElement === $("search-cancel") || (this.cancelled && document.activeElement === document.body)) $("search").focus();
    $("search-running").hidden = true;
    this.say(text);
  }

  // What is seen beside the bar anyway is only heard.
  say(text, heard = false) {
    $("search-note").classList.toggle("heard", heard);
    if ($("search-note").textContent !== text) $("search-note").textContent = text;
  }

  list({ candidates, n_realizations, shown }) {
    const table = element("table", {}, element("caption", {
      textContent: `Measured: mean ± standard deviation over ${n_realizations} realizations. "Go there" shows the ${shown} of a candidate.`,
    }));
    const columns = ["requested", "predicted", "measured"].map((textContent) => element("th", { scope: "col", id: textContent, textContent }));
    table.append(element("thead", {}, element("tr", {}, ...columns)));
    candidates.forEach((candidate, k) => table.append(this.candidate(candidate, k)));
    $("candidates").replaceChildren(table);
  }

  // A name of a property is too long for a column of its own: it stands above its values.
  candidate({ latent, seed, sample, values, reason }, k) {
    const text = (v) => (v === null ? "–" : number(v)), id = `candidate-${k}`;
    const button = element("button", { type: "button", textContent: "Go there" });
    button.setAttribute("aria-label", `Go to candidate ${k + 1}`);
    button.addEventListener("click", () => this.go({ latent, seed, sample }));
    const head = element("th", { id, scope: "rowgroup", colSpan: 3 }, element("div", { className: "row" }, `Candidate ${k + 1}`, button));
    const rows = this.measures.filter(({ name }) => name in values).flatMap(({ name, text: words, unit }, j) => {
      const { requested, predicted, measured, spread } = values[name], own = `${id}-${j}`;
      const cells = { requested: text(requested), predicted: text(predicted),
        measured: measured === null ? "not defined" : `${text(measured)} ± ${spread === null ? "–" : Number(spread.toPrecision(2))}` };
      return [
        element("tr", { className: "name" }, element("th", { id: own, colSpan: 3, textContent: unit ? `${words} (${unit})` : words })),
        element("tr", {}, ...Object.entries(cells).map(([column, textContent]) => {
          const cell = element("td", { textContent });
          cell.setAttribute("headers", `${id} ${own} ${column}`);
          return cell;
        })),
      ];
    });
    if (reason) {
      const cell = element("td", { className: "note", colSpan: 3, textContent: reason });
      cell.setAttribute("headers", id);
      rows.push(element("tr", {}, cell));
    }
    return element("tbody", {}, element("tr", {}, head), ...rows);
  }
}
