// What each view asks the API for, and how it shows it. Each returns the children of <main>.

import { ago, h, plural } from "./dom.js";

const PAGE = 100;
const MOVING = new Set(["RollingOut", "WaitingForDeployment", "WaitingForTurn", "OutsideWindow", "Unproven"]);
const GOOD = new Set(["InSync"]);
const QUIET = new Set(["Suspended", "WarnOnly", "ReadOnly", "Orphaned"]);

/** A link to a view of this page, filters and all. */
export function link(view, filters, ...children) {
  const query = new URLSearchParams({ view, ...filters });
  return h("a", { href: `/?${query}`, "data-view": true }, ...children);
}

function tone(reason, ready) {
  if (ready || GOOD.has(reason)) return "good";
  if (MOVING.has(reason)) return "moving";
  return QUIET.has(reason) ? "quiet" : "bad";
}

const SIGNS = { good: "✓", moving: "↻", quiet: "–", bad: "!", info: "·", warning: "▲", error: "!" };

function badge(kind, text) {
  return h("span", { class: `badge ${kind}` }, h("span", { "aria-hidden": "true" }, SIGNS[kind]), " ", text);
}

function serviceName(key) {
  const [account, region, ...rest] = key.split("/");
  return link("service", { key }, h("strong", {}, rest.join("/")), " ", h("small", {}, `${account}/${region}`));
}

function about(event) {
  if (event.about.split("/").length >= 3 && !event.about.endsWith(".yaml")) {
    const parts = event.about.split("/");
    if (parts.length === 4 || event.about.includes("family:")) return serviceName(event.about);
  }
  return event.about ? h("span", {}, event.about) : h("span", { class: "faint" }, "installation");
}

function diff(text) {
  const line = (one) => {
    const kind = /^(\+\+\+|---|@@)/.test(one) ? "head" : { "+": "added", "-": "removed" }[one[0]] ?? "";
    return h("span", { class: kind }, `${one}\n`);
  };
  return h("pre", { class: "diff", tabindex: "0", "aria-label": "Difference" }, h("code", {}, text.split("\n").map(line)));
}

function table(caption, columns, rows) {
  const head = h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name))));
  return h("div", { class: "scroll" }, h("table", {}, h("caption", {}, caption), head, h("tbody", {}, rows)));
}

function row(key, columns, cells) {
  return h("tr", { "data-key": key }, cells.map((cell, index) => h("td", { "data-label": columns[index] }, cell)));
}

function eventItem(event) {
  const by = event.by ? h("span", { class: "faint" }, ` by ${event.by}`) : null;
  const revision = event.revision ? h("code", {}, event.revision.split("/").pop()) : null;
  return h("li", { "data-key": `${event.at} ${event.kind} ${event.about} ${event.message}` },
    h("div", { class: "line" }, ago(event.at), " ", badge(event.level, event.kind), " ", about(event), by, " ", revision),
    h("p", {}, event.message),
    event.diff ? h("details", {}, h("summary", {}, "what was registered"), diff(event.diff)) : null);
}

function eventList(events) {
  return events.length ? h("ol", { class: "events" }, events.map(eventItem)) : h("p", { class: "empty" }, "No events.");
}

function pager(view, filters, page) {
  if (page.total <= page.limit) return null;
  const last = Math.ceil(page.total / PAGE), now = Math.floor(page.offset / PAGE) + 1;
  const to = (number, text) => number >= 1 && number <= last
    ? link(view, { ...filters, page: number }, text) : h("span", { class: "faint" }, text);
  return h("nav", { class: "pager", "aria-label": "Pages" },
    to(now - 1, "← previous"), h("span", {}, ` page ${now} of ${last.toLocaleString()} `), to(now + 1, "next →"));
}

function select(name, label, value, options) {
  return h("label", {}, label, " ", h("select", { name }, options.map(([key, text]) =>
    h("option", { value: key, selected: key === value }, text))));
}

function filterForm(filters, ...more) {
  return h("form", { class: "filters", role: "search" },
    h("label", {}, "Filter ", h("input", { name: "q", type: "search", value: filters.q ?? "", autocomplete: "off", spellcheck: "false" })),
    ...more);
}

function paged(filters) {
  const { page = "1", ...rest } = filters;
  return new URLSearchParams({ ...rest, offset: String((Math.max(1, Number(page) || 1) - 1) * PAGE), limit: String(PAGE) });
}

const READY = [["", "all"], ["false", "not ready"], ["true", "ready"]];

export const views = {
  overview: {
    title: "Overview",
    read: async (_filters, ask) => {
      const [summary, plans, events, problems] = await Promise.all(
        [ask("summary"), ask("plans?limit=20"), ask("events?limit=15"), ask("problems?limit=10")]);
      return { summary, plans, events, problems };
    },
    show: ({ summary, plans, events, problems }) => [
      h("h1", {}, "Overview"),
      ...notices(summary, plans),
      tiles(summary),
      h("section", { "aria-labelledby": "rollouts" }, h("h2", { id: "rollouts" }, "Rollouts in progress"),
        summary.rollouts.length ? summary.rollouts.map(rollout) : h("p", { class: "empty" }, "No change is going over services.")),
      problems.total ? h("section", { "aria-labelledby": "problems" },
        h("h2", { id: "problems" }, link("problems", {}, plural(problems.total, "problem"), " in the specs")), problemList(problems.items)) : null,
      h("section", { "aria-labelledby": "events" }, h("h2", { id: "events" }, link("events", {}, "Recent events")), eventList(events.items)),
    ],
  },
  routes: {
    title: "Routes",
    read: (filters, ask) => ask(`routes?${paged(filters)}`),
    show: (page, filters) => {
      const columns = ["Route", "State", "Services", "Message"];
      return [
        h("h1", {}, "Routes"),
        filterForm(filters, select("ready", "Show", filters.ready ?? "", READY)),
        table(plural(page.total, "route"), columns, page.items.map((one) => row(one.key, columns, [
          h("strong", {}, one.key),
          [badge(tone(one.reason, one.ready), one.reason), one.suspended ? badge("quiet", "suspended") : null],
          link("services", { route: one.key }, plural(one.services.length, "service")),
          [h("span", {}, one.message), conditions(one.conditions)],
        ]))),
        pager("routes", filters, page),
      ];
    },
  },
  services: {
    title: "Services",
    read: async (filters, ask) => {
      const [page, summary] = await Promise.all([ask(`services?${paged(filters)}`), ask("summary")]);
      return { page, reasons: Object.entries(summary.services) };
    },
    show: ({ page, reasons }, filters) => {
      const columns = ["Service", "State", "Routes", "Message"];
      const known = reasons.map(([reason, count]) => [reason, `${reason} (${count.toLocaleString()})`]).sort();
      return [
        h("h1", {}, "Services"),
        filterForm(filters,
          select("reason", "State", filters.reason ?? "", [["", "all"], ...known]),
          select("ready", "Show", filters.ready ?? "", READY),
          filters.route ? h("span", {}, "of route ", h("strong", {}, filters.route), " ", link("services", {}, "show all")) : null),
        table(plural(page.total, "service"), columns, page.items.map((one) => row(one.key, columns, [
          serviceName(one.key),
          [badge(tone(one.reason, one.ready), one.reason), one.suspended ? badge("quiet", "suspended") : null],
          one.routes.map((route, index) => [index ? ", " : "", link("routes", { q: route }, route)]),
          [h("span", {}, one.message), ...one.hints.map((hint) => h("p", { class: "hint" }, `${hint.reason}: ${hint.message}`))],
        ]))),
        pager("services", filters, page),
      ];
    },
  },
  service: {
    title: "Service",
    hidden: true,
    read: async ({ key = "" }, ask) => {
      const path = key.split("/").map(encodeURIComponent).join("/");
      const [history, service] = await Promise.all([ask(`history/${path}`), ask(`services/${path}`).catch(() => null)]);
      return { service, history };
    },
    show: ({ service, history }, { key = "" }) => [
      h("h1", {}, key.split("/").slice(2).join("/")),
      h("p", { class: "faint" }, key.split("/").slice(0, 2).join("/")),
      service ? h("p", {}, badge(tone(service.reason, service.ready), service.reason), " ", service.message)
        : h("p", { class: "empty" }, "No route selects it, and nothing of ours runs in it."),
      service?.drift.length ? h("ul", {}, service.drift.map((one) => h("li", {}, `${one.reason}: ${one.message}`))) : null,
      service?.hints.length ? h("ul", { class: "hint" }, service.hints.map((one) => h("li", {}, `${one.reason}: ${one.message}`))) : null,
      service?.routes.length ? h("p", {}, "Routes: ", service.routes.map((route, index) => [index ? ", " : "", link("routes", { q: route }, route)])) : null,
      h("h2", {}, "What happened"),
      eventList(history),
    ],
  },
  plans: {
    title: "Plans",
    read: (filters, ask) => ask(`plans?${paged(filters)}`),
    show: (page) => [h("h1", {}, "Plans"),
      page.items.length ? page.items.map(plan) : h("p", { class: "empty" }, "Nothing was planned since the start.")],
  },
  events: {
    title: "Events",
    read: (filters, ask) => ask(`events?${paged(filters)}`),
    show: (page, filters) => [
      h("h1", {}, "Events"),
      filterForm(filters, select("level", "At least", filters.level ?? "info", [["info", "info"], ["warning", "warning"], ["error", "error"]])),
      h("p", { class: "faint" }, plural(page.total, "event")),
      eventList(page.items),
      pager("events", filters, page),
    ],
  },
  problems: {
    title: "Problems",
    read: (filters, ask) => ask(`problems?${paged(filters)}`),
    show: (page, filters) => [h("h1", {}, "Problems in the specs"), filterForm(filters),
      page.items.length ? problemList(page.items) : h("p", { class: "empty" }, "The specs have no problems."),
      pager("problems", filters, page)],
  },
};

function notices(summary, plans) {
  const blocked = plans.items.filter((one) => one.state === "Blocked");
  return [
    summary.sourceError ? h("p", { class: "notice error" }, h("strong", {}, "The source cannot be read: "), summary.sourceError) : null,
    ...blocked.map((one) => h("div", { class: "notice error" },
      h("p", {}, h("strong", {}, `A plan waits for approval: ${plural(one.total, "service")}. `), one.why),
      h("p", {}, link("plans", {}, "Look at it"), ", then: ", h("code", {}, `logroute approve ${one.digest.slice(0, 12)}`)))),
    ...Object.entries(summary.errors).map(([where, why]) => h("p", { class: "notice error" }, h("strong", {}, `${where}: `), why)),
    ...summary.lostConfigs.map((one) => h("p", { class: "notice error" }, one)),
    ...Object.values(summary.suspended).map((why) => h("p", { class: "notice" }, why)),
  ];
}

function tiles(summary) {
  const { ready, notReady } = summary.routes;
  const services = Object.entries(summary.services).sort(([, one], [, other]) => other - one);
  const total = services.reduce((sum, [, count]) => sum + count, 0);
  return h("dl", { class: "tiles" },
    h("div", {}, h("dt", {}, link("routes", {}, "Routes")),
      h("dd", {}, `${ready} of ${ready + notReady} ready`), notReady ? h("dd", {}, link("routes", { ready: "false" }, badge("bad", `${notReady} not ready`))) : null),
    h("div", {}, h("dt", {}, link("services", {}, "Services")),
      h("dd", {}, plural(total, "service")),
      h("dd", { class: "chips" }, services.map(([reason, count]) =>
        link("services", { reason }, badge(tone(reason, false), `${count.toLocaleString()} ${reason}`))))),
    h("div", {}, h("dt", {}, "Specs"), h("dd", {}, h("code", { title: summary.revision }, summary.revision.slice(0, 19) || "none yet")),
      h("dd", {}, summary.problems ? link("problems", {}, badge("bad", plural(summary.problems, "problem"))) : badge("good", "no problems"))));
}

function rollout(one) {
  const total = Object.values(one.services).reduce((sum, count) => sum + count, 0);
  const done = one.services.done ?? 0;
  const states = Object.entries(one.services).filter(([, count]) => count).map(([state, count]) => `${count} ${state}`).join(", ");
  return h("article", { class: "rollout", "data-key": one.id },
    h("h3", {}, `Change ${one.id} `, badge(one.state === "running" ? "moving" : "bad", one.state)),
    h("p", {}, `${one.place}, wave ${one.batch} of ${one.batches}, begun `, ago(one.begun)),
    h("progress", { max: total, value: done, "aria-label": `${done} of ${total} services done` }),
    h("p", {}, states, one.why ? `. ${one.why}` : ""));
}

function plan(one) {
  const kinds = { Blocked: "bad", Pending: "moving", Done: "good" };
  return h("section", { "data-key": `${one.state} ${one.place}` },
    h("h2", {}, one.place || "Waits for approval", " ", badge(kinds[one.state], one.state.toLowerCase())),
    h("p", {}, plural(one.total, "service"), ", ", ago(one.at), one.why ? `: ${one.why}` : ""),
    one.state === "Blocked" ? h("p", {}, "Approve with ", h("code", {}, `logroute approve ${one.digest.slice(0, 12)}`)) : null,
    h("ul", { class: "plan" }, one.services.map((service) => h("li", { "data-key": service.service },
      h("div", { class: "line" }, serviceName(service.service), " ", badge(service.hold ? "quiet" : "moving", service.hold ? `held: ${service.hold.reason}` : service.action)),
      [...service.reasons, ...(service.hold ? [service.hold] : [])].map((why) => h("p", {}, `${why.reason}: ${why.message}`)),
      service.diff ? h("details", {}, h("summary", {}, "difference"), diff(service.diff)) : null))),
    one.total > one.services.length ? h("p", { class: "faint" }, `and ${one.total - one.services.length} more`) : null);
}

function conditions(some) {
  return h("details", {}, h("summary", {}, "conditions"), h("ul", {}, some.map((one) =>
    h("li", {}, `${one.condition}: ${one.status}, ${one.reason}${one.message ? `: ${one.message}` : ""}`))));
}

function problemList(problems) {
  return h("ul", { class: "problems" }, problems.map((one) => h("li", { "data-key": `${one.file}:${one.line}:${one.column} ${one.code} ${one.message}` },
    h("div", { class: "line" }, badge(one.severity === "error" ? "error" : "warning", one.severity), " ",
      h("code", {}, one.line ? `${one.file}:${one.line}:${one.column}` : one.file), " ", h("span", { class: "faint" }, one.code)),
    h("p", {}, one.message), one.hint ? h("p", { class: "hint" }, one.hint) : null)));
}
