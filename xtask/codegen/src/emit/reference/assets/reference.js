"use strict";

// Light or dark, remembered where the browser allows it.
const theme = document.getElementById("theme");
theme.hidden = false;
theme.addEventListener("click", () => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const next = (root.dataset.theme ?? system) === "dark" ? "light" : "dark";
  root.dataset.theme = next;
  try {
    localStorage.setItem("treaty-theme", next);
  } catch {
    // Then it lasts as long as the page.
  }
});

// Search over names and first sentences. Names count more, and their beginnings most.
const top_ = document.body.dataset.top;
const input = document.getElementById("search");
const results = document.getElementById("results");
const MOST = 12;
let chosen = -1;

input.closest(".search").hidden = false;

function score(entry, words) {
  const [name, , , about] = entry;
  const low = name.toLowerCase();
  let total = 0;
  for (const word of words) {
    if (low === word) total += 100;
    else if (low.startsWith(word)) total += 60;
    else if (low.includes("." + word) || low.includes("/" + word)) total += 45;
    else if (low.includes(word)) total += 30;
    else if (about.toLowerCase().includes(word)) total += 8;
    else return 0;
  }
  return total - name.length / 100;
}

function find(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  return window.treatySearchIndex
    .map((entry) => [score(entry, words), entry])
    .filter(([points]) => points > 0)
    .sort(([a], [b]) => b - a)
    .slice(0, MOST)
    .map(([, entry]) => entry);
}

function show() {
  const found = find(input.value);
  results.replaceChildren(
    ...found.map(([name, kind, target, about], index) => {
      const item = document.createElement("li");
      item.id = `result-${index}`;
      item.setAttribute("role", "option");
      const link = document.createElement("a");
      link.href = top_ + target;
      link.tabIndex = -1;
      for (const [tag, text] of [["b", name], ["i", kind], ["span", about]]) {
        const part = document.createElement(tag);
        part.textContent = text;
        link.append(part);
      }
      item.append(link);
      return item;
    }),
  );
  if (found.length === 0 && input.value.trim() !== "") {
    const none = document.createElement("li");
    none.textContent = "Nothing found.";
    none.className = "nothing";
    results.append(none);
  }
  results.hidden = input.value.trim() === "";
  input.setAttribute("aria-expanded", String(!results.hidden));
  choose(found.length > 0 ? 0 : -1);
}

function choose(index) {
  chosen = index;
  for (const [at, item] of [...results.querySelectorAll("[role=option]")].entries()) {
    item.setAttribute("aria-selected", String(at === index));
    if (at === index) {
      input.setAttribute("aria-activedescendant", item.id);
      item.scrollIntoView({ block: "nearest" });
    }
  }
  if (index < 0) input.removeAttribute("aria-activedescendant");
}

function close() {
  results.hidden = true;
  input.setAttribute("aria-expanded", "false");
}

input.addEventListener("input", show);
input.addEventListener("focus", () => input.value && show());
input.addEventListener("keydown", (event) => {
  const count = results.querySelectorAll("[role=option]").length;
  if (event.key === "ArrowDown" && count > 0) choose((chosen + 1) % count);
  else if (event.key === "ArrowUp" && count > 0) choose((chosen + count - 1) % count);
  else if (event.key === "Enter" && chosen >= 0) {
    results.querySelectorAll("[role=option] a")[chosen].click();
    close();
  } else if (event.key === "Escape") {
    input.value = "";
    close();
    input.blur();
  } else return;
  event.preventDefault();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest(".search") || event.target.closest("#results a")) close();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  event.preventDefault();
  input.focus();
});
