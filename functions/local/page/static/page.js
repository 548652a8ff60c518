// Live updates without a framework: a page that is told of a change fetches itself again and swaps what differs.
// Everything works without this file, by reloading; it only saves the reloads.
"use strict";

const live = document.getElementById("live");

function say(words, on) {
  live.firstElementChild.textContent = words;
  live.classList.toggle("on", on);
}

// As a document, and not as text put into the page: nothing in it is ever parsed in this page's own context.
function fetched() {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const address = new URL(location.href);
    address.searchParams.delete("told");
    request.open("GET", address);
    request.responseType = "document";
    request.onload = () => (request.status === 200 && request.response ? resolve(request.response) : reject(request.status));
    request.onerror = reject;
    request.send();
  });
}

// What a person has opened, or is at, stays as it is.
function swap(fresh) {
  for (const old of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(old.id);
    if (!next || next.isEqualNode(plainly(old)) || old.querySelector("dialog[open]")) continue;
    const adopted = document.importNode(next, true);
    for (const each of old.querySelectorAll("details[id]")) {
      const same = adopted.querySelector(`#${CSS.escape(each.id)}`);
      if (same) same.open = each.open;
    }
    const chosen = old.querySelector("select");
    const choice = adopted.querySelector("select");
    if (chosen && choice) choice.value = chosen.value;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    old.replaceWith(adopted);
    if (focused) document.getElementById(focused)?.focus();
  }
}

// As it came from the server: an opened <details> differs from it by nothing that matters.
function plainly(node) {
  const copy = node.cloneNode(true);
  for (const each of copy.querySelectorAll("details[open]")) each.open = false;
  return copy;
}

function listen() {
  const { watched, sign } = document.body.dataset;
  if (watched === undefined) return;
  const address = new URL("/changes", location.href);
  address.searchParams.set("of", watched);
  address.searchParams.set("shown", sign);
  const source = new EventSource(address);
  source.onopen = () => say("Live", true);
  source.onerror = () => say("Not live, trying again", false);
  source.addEventListener("changed", () => {
    fetched().then(
      (fresh) => {
        swap(fresh);
        document.title = fresh.title;
      },
      () => say("Not live, trying again", false),
    );
  });
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => event.persisted && location.reload());
}

// <button command commandfor> is in every current browser; older ones get the same from here.
function command(event) {
  const button = event.target.closest?.("button[commandfor]");
  const dialog = button && document.getElementById(button.getAttribute("commandfor"));
  if (!dialog || "command" in HTMLButtonElement.prototype) return;
  if (button.getAttribute("command") === "show-modal") dialog.showModal();
  else dialog.close();
}

// The server opens the dialog that a click asked for; as a modal one it also holds the focus.
function openModal() {
  const modal = document.getElementById("modal");
  if (!modal) return;
  modal.close();
  modal.showModal();
  modal.addEventListener("cancel", () => history.replaceState(null, "", location.pathname));
}

document.addEventListener("click", command);
openModal();
listen();
