"use strict";
(() => {
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const by = (id) => document.getElementById(id);
  const requirements = all(".requirement");
  const groups = all(".group");
  const chips = all(".chip");
  const choices = ["level", "provenance", "group"].map(by);
  const words = new Map();

  // Colours: as the system has them, light, or dark.
  const theme = by("theme");
  const themes = {auto: ["Auto", "as the system has them"], light: ["Light", "light"], dark: ["Dark", "dark"]};
  let chosen = "auto";
  const paint = (name) => {
    chosen = name in themes ? name : "auto";
    if (chosen === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    theme.textContent = themes[chosen][0];
    theme.setAttribute("aria-label", `Colours: ${themes[chosen][1]}`);
  };
  try { paint(localStorage.getItem("cloudimages-theme") || "auto"); } catch { paint("auto"); }
  theme.addEventListener("click", () => {
    const names = Object.keys(themes);
    paint(names[(names.indexOf(chosen) + 1) % names.length]);
    try { localStorage.setItem("cloudimages-theme", chosen); } catch { /* a page without a memory still has colours */ }
  });

  // Filters: what is shown is what fits all of them.
  const text = (requirement) => {
    if (!words.has(requirement)) words.set(requirement, requirement.textContent.toLowerCase());
    return words.get(requirement);
  };
  const filter = () => {
    const verdicts = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.verdict);
    const wanted = by("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const active = verdicts.length || wanted.length || choices.some((choice) => choice.value);
    let count = 0;
    for (const requirement of requirements) {
      const fits = (!verdicts.length || verdicts.includes(requirement.dataset.verdict))
        && choices.every((choice) => !choice.value || requirement.dataset[choice.id] === choice.value)
        && wanted.every((word) => text(requirement).includes(word));
      requirement.hidden = !fits;
      count += fits;
    }
    for (const group of groups) {
      group.hidden = !group.querySelector(".requirement:not([hidden])");
      group.open = active ? !group.hidden : "asked" in group.dataset;
    }
    by("shown").textContent = `${count} of ${requirements.length} shown`;
    by("nothing").hidden = count > 0;
  };
  const reset = () => {
    by("search").value = "";
    for (const choice of choices) choice.value = "";
    for (const chip of chips) chip.setAttribute("aria-pressed", "false");
    filter();
  };
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      filter();
    });
  }
  for (const choice of choices) choice.addEventListener("change", filter);
  by("search").addEventListener("input", filter);
  by("reset").addEventListener("click", reset);
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      by("search").focus();
    }
  });

  // Permalinks: what an address names is shown and unfolded.
  const unfold = () => {
    let name = location.hash.slice(1);
    try { name = decodeURIComponent(name); } catch { /* an address that nobody encoded */ }
    const target = by(name);
    if (!target || !target.classList.contains("requirement")) return;
    if (target.hidden) reset();
    for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    target.querySelector("summary").focus({preventScroll: true});
    target.scrollIntoView({block: "start"});
  };
  addEventListener("hashchange", unfold);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    if (link && link.getAttribute("href") === location.hash) unfold();
  });
  unfold();

  // Commands are copied as they are shown.
  const copied = async (shown) => {
    try { await navigator.clipboard.writeText(shown.textContent); return true; } catch { /* the older way may do */ }
    const selection = getSelection();
    selection.selectAllChildren(shown);
    const done = document.execCommand("copy");
    if (done) selection.removeAllRanges();
    return done;
  };
  for (const button of all(".copy")) {
    button.addEventListener("click", async () => {
      const done = await copied(button.previousElementSibling);
      button.textContent = done ? "Copied" : "Press Ctrl+C";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }

  // On paper, findings are unfolded.
  let folded = [];
  addEventListener("beforeprint", () => {
    const wanted = ["fail", "advisory", "unstable", "blocked", "error", "deviates"];
    folded = requirements.filter((each) => !each.open && wanted.includes(each.dataset.verdict));
    for (const each of folded) each.open = true;
  });
  addEventListener("afterprint", () => { for (const each of folded) each.open = false; });
})();
