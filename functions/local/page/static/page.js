// Live updates without a framework: a page that is told of a change fetches itself again and swaps what differs.
// Everything works without this file, by reloading; it only saves the reloads.
"use strict";

const live = document.getElementById("live");
const news = document.getElementById("news");
let source = null;
let missed = false;

function say(words, on) {
  live.firstElementChild.textContent = words;
  live.classList.toggle("on", on);
}

// As a document, and not as text put into the page: nothing in it is ever parsed in this page's own context.
function fetched() {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", location.href);
    request.responseType = "document";
    request.onload = () => (request.status === 200 && request.response ? resolve(request.response) : reject(request.status));
    request.onerror = reject;
    request.send();
  });
}

// What a person has opened, or is at, stays as it is. A question that is being answered is not taken away.
function swap(fresh) {
  missed = false;
  for (const old of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(old.id);
    if (!next || closed(next).isEqualNode(closed(old))) continue;
    if (old.querySelector("dialog[open]")) {
      missed = true;
      continue;
    }
    const adopted = document.importNode(next, true);
    for (const each of old.querySelectorAll("details[id]")) {
      const same = adopted.querySelector(`#${CSS.escape(each.id)}`);
      if (same) same.open = each.open;
    }
    const chosen = old.querySelector("select");
    const choice = adopted.querySelector("select");
    if (chosen && choice) choice.value = chosen.value;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    const before = old.querySelector(".state")?.textContent;
    const after = adopted.querySelector(".state")?.textContent;
    if (old.id === "head" && after && before !== after) news.textContent = after;
    old.replaceWith(adopted);
    drawTimes(adopted);
    if (focused) document.getElementById(focused)?.focus();
  }
  document.title = fresh.title;
}

// An opened <details> differs from a closed one by nothing that matters, a time drawn later from one drawn earlier neither.
function closed(node) {
  const copy = node.cloneNode(true);
  for (const each of copy.querySelectorAll("details")) each.removeAttribute("open");
  for (const each of copy.querySelectorAll("time")) each.replaceWith(each.dateTime);
  return copy;
}

const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

// The largest unit that fits: "3 minutes ago", or with `lasting` "for 3 minutes".
function describeTime(at, form) {
  if (form === "clock") return at.toLocaleTimeString("en-GB");
  const seconds = Math.round((at - Date.now()) / 1000);
  const [unit, size] = UNITS.find(([, each]) => Math.abs(seconds) >= each) ?? UNITS.at(-1);
  const count = Math.trunc(seconds / size);
  if (form === "lasting") return `for ${Math.abs(count)} ${unit}${Math.abs(count) === 1 ? "" : "s"}`;
  return relative.format(count, unit);
}

// Every time is shown in the zone of its reader; the exact one stands in its title.
function drawTimes(root) {
  for (const each of root.querySelectorAll("time[data-form]")) {
    const at = new Date(each.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const text = describeTime(at, each.dataset.form);
    if (each.textContent === text) continue;
    each.title = at.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "long" });
    each.textContent = text;
  }
}

function nameZone() {
  const zone = document.getElementById("zone");
  if (zone) zone.textContent = `Times in ${Intl.DateTimeFormat().resolvedOptions().timeZone}, the exact ones on hover.`;
}

function refresh() {
  return fetched().then(swap, () => say("Not live, trying again", false));
}

// A browser opens six connections to one place: pages that nobody looks at let go of theirs.
function listen() {
  const { watched, sign } = document.body.dataset;
  if (watched === undefined || source) return;
  const address = new URL("/changes", location.href);
  address.searchParams.set("of", watched);
  address.searchParams.set("shown", sign);
  source = new EventSource(address);
  source.onopen = () => say("Live", true);
  source.onerror = () => {
    say("Not live, trying again", false);
    if (source?.readyState !== EventSource.CLOSED) return; // it tries again by itself
    rest();
    setTimeout(() => document.hidden || listen(), 5000);
  };
  source.addEventListener("changed", refresh);
}

function rest() {
  source?.close();
  source = null;
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
  modal.querySelector("textarea")?.focus();
  modal.addEventListener("cancel", () => history.replaceState(null, "", location.pathname));
}

// What was told once is not told again by a reload.
function forget() {
  const address = new URL(location.href);
  if (!address.searchParams.has("told")) return;
  address.searchParams.delete("told");
  history.replaceState(null, "", address);
}

document.addEventListener("click", command);
drawTimes(document);
nameZone();
setInterval(() => document.hidden || drawTimes(document), 1000);
forget();
document.addEventListener("close", () => missed && refresh(), true);
document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
addEventListener("pagehide", rest);
addEventListener("pageshow", (event) => event.persisted && location.reload());
addEventListener("load", openModal);
listen();
