// Where we are is in the URL; what is shown comes from the API, and anew whenever the server says that it changed.

import { h, morph } from "./dom.js";
import { link, views } from "./views.js";

const main = document.getElementById("content");
const live = document.getElementById("live");
let asked = 0;

function place() {
  const { view = "overview", ...filters } = Object.fromEntries(new URLSearchParams(location.search));
  return { name: view in views ? view : "overview", filters };
}

async function ask(path) {
  const answer = await fetch(`/api/v1/${path}`, { headers: { accept: "application/json" } });
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    throw new Error(typeof told.detail === "string" ? told.detail : `the controller answered ${answer.status}`);
  }
  return answer.json();
}

/** Ask and show; an answer that comes after a later question is not shown any more. */
async function refresh() {
  const { name, filters } = place(), mine = ++asked;
  let children;
  try {
    const told = await views[name].read(filters, ask);
    children = views[name].show(told, filters);
  } catch (error) {
    children = [h("h1", {}, views[name].title), h("p", { class: "notice error" }, String(error.message ?? error))];
  }
  if (mine !== asked) return;
  morph(main, h("main", { id: "content", tabindex: "-1" }, children));
  document.title = `${main.querySelector("h1")?.textContent ?? "LogRoute"} · LogRoute`;
}

function navigation() {
  const { name } = place();
  const links = Object.entries(views).filter(([, view]) => !view.hidden).map(([key, view]) => {
    const one = link(key, {}, view.title);
    if (key === name) one.setAttribute("aria-current", "page");
    return h("li", {}, one);
  });
  const nav = document.getElementById("views");
  nav.replaceChildren(h("ul", {}, links));
}

async function go(url, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", url);
  navigation();
  await refresh();
}

document.addEventListener("click", async (event) => {
  const found = event.target.closest?.("a[data-view]");
  if (!found || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  await go(found.href);
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
});

// Filters go into the URL as they are typed, in place of what was there: "back" leaves the view, not a letter.
let typing;
function filtered(event) {
  const form = event.target.closest?.("form.filters");
  if (!form) return;
  clearTimeout(typing);
  typing = setTimeout(() => {
    const { name, filters } = place(), { page: _page, ...rest } = filters;
    const query = new URLSearchParams({ view: name });
    for (const [key, value] of Object.entries({ ...rest, ...Object.fromEntries(new FormData(form)) })) if (value) query.set(key, value);
    go(`/?${query}`, { replace: true });
  }, event.type === "input" && event.target.tagName === "INPUT" ? 200 : 0);
}
document.addEventListener("input", filtered);
document.addEventListener("submit", (event) => {
  event.preventDefault();
  filtered(event);
});
addEventListener("popstate", () => {
  navigation();
  refresh();
});

function watch() {
  const stream = new EventSource("/api/v1/watch");
  const say = (text, state) => {
    live.textContent = text;
    live.dataset.state = state;
  };
  stream.addEventListener("changed", () => {
    say("live", "live");
    if (!document.hidden) refresh();
  });
  stream.onerror = () => say(stream.readyState === EventSource.CLOSED ? "not connected" : "connecting again", "lost");
  if (stream.readyState === EventSource.CLOSED) setTimeout(watch, 5000);
}

document.addEventListener("visibilitychange", () => document.hidden || refresh());
navigation();
await refresh();
watch();
