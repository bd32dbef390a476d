// Bookmarks: names and addresses of states, which the browser keeps.

import { problem } from "./server.js";

const $ = (id) => document.getElementById(id);

export class Bookmarks {
  // `shelf` is the name under which the browser keeps them.
  constructor(shelf) {
    this.shelf = shelf;
    this.show();
  }

  read() {
    try { return JSON.parse(localStorage.getItem(this.shelf) || "[]").filter((b) => typeof b.address === "string"); } catch { return []; }
  }

  add(address, latent) {
    const list = this.read();
    this.keep([...list, { name: `${list.length + 1}: ${latent.map((v) => v.toFixed(1)).join(", ")}`, address }]);
  }

  keep(list) {
    try { localStorage.setItem(this.shelf, JSON.stringify(list)); } catch { problem("This browser keeps no bookmarks here; copy links instead."); }
    this.show();
  }

  show() {
    $("bookmarks").replaceChildren(...this.read().map((bookmark, k) => {
      const item = document.createElement("li"), link = document.createElement("a"), remove = document.createElement("button");
      item.className = "row";
      link.href = bookmark.address;
      link.textContent = bookmark.name;
      remove.type = "button";
      remove.textContent = "Remove";
      remove.setAttribute("aria-label", `Remove ${bookmark.name}`);
      remove.addEventListener("click", () => this.keep(this.read().filter((_, j) => j !== k)));
      item.append(link, remove);
      return item;
    }));
  }
}
