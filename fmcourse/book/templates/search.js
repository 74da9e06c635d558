// Finds the entries in which each word of the question begins a word; those that have them in
// their title come first. Works on files, without a server: entries.js is a script.
"use strict";

const MOST = 60; // results on the page
const AROUND = 90; // characters shown before and after the first hit

function words(text) {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) || [];
}

function beginning(word) {
  return new RegExp(`(?<![\\p{L}\\p{N}])${word}`, "giu");
}

function search(question) {
  const wanted = words(question).map(beginning);
  if (!wanted.length) return [];
  const scored = [];
  ENTRIES.forEach((entry, place) => {
    let score = 0;
    for (const word of wanted) {
      const inTitle = (entry.t.match(word) || []).length;
      const inText = (entry.x.match(word) || []).length;
      if (!inTitle && !inText) return;
      score += 10 * inTitle + Math.min(inText, 5);
    }
    scored.push({ entry, score, place });
  });
  scored.sort((a, b) => b.score - a.score || a.place - b.place);
  return scored.map((one) => one.entry);
}

function marked(text, question) {
  const found = new RegExp(words(question).map((word) => beginning(word).source).join("|"), "giu");
  const parts = document.createDocumentFragment();
  let end = 0;
  for (const hit of text.matchAll(found)) {
    const mark = document.createElement("mark");
    mark.textContent = hit[0];
    parts.append(text.slice(end, hit.index), mark);
    end = hit.index + hit[0].length;
  }
  parts.append(text.slice(end));
  return parts;
}

function snippet(text, question) {
  const hits = words(question).map((word) => text.search(beginning(word))).filter((at) => at >= 0);
  const first = Math.max(0, (hits.length ? Math.min(...hits) : 0) - AROUND);
  const begin = first ? text.indexOf(" ", first) + 1 : 0;
  const cut = text.slice(begin, begin + 2 * AROUND);
  return (begin ? "… " : "") + cut + (begin + cut.length < text.length ? " …" : "");
}

function show(question) {
  const found = search(question);
  const list = document.getElementById("found");
  list.replaceChildren();
  for (const entry of found.slice(0, MOST)) {
    const line = document.createElement("li");
    const link = document.createElement("a");
    link.href = entry.u;
    link.append(marked(entry.t, question));
    const text = document.createElement("p");
    text.append(marked(snippet(entry.x, question), question));
    line.append(link, text);
    list.append(line);
  }
  const few = found.length > MOST ? `, the first ${MOST} of them` : "";
  document.getElementById("told").textContent = `“${question}”: ${found.length} found${few}.`;
}

const question = new URLSearchParams(location.search).get("q");
if (question !== null && question.trim()) {
  document.getElementById("q").value = question;
  document.title = `${question} · ${document.title}`;
  show(question.trim());
}
