// A message that is JSON is laid out when it is opened. Only white space is added: every number and
// every string stays as it was sent.
function laidOut(text) {
  let shown = "", depth = 0;
  const line = () => "\n" + "  ".repeat(Math.min(depth, 40));
  for (const [token] of text.matchAll(/"(?:\\.|[^"\\])*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === "}" || token === "]") { depth -= 1; shown += line(); }
    shown += token;
    if (token === "{" || token === "[") { depth += 1; shown += line(); }
    if (token === ",") shown += line();
    if (token === ":") shown += " ";
  }
  return shown.replace(/([{[])\n\s*([}\]])/g, "$1$2");
}
document.addEventListener("toggle", ({ target }) => {
  const message = target.closest("ol.frames") && target.querySelector(":scope > pre");
  if (!message || message.dataset.laidOut || message.textContent.length > 100000) return;
  message.dataset.laidOut = "yes";
  try { JSON.parse(message.textContent); } catch { return; }
  message.textContent = laidOut(message.textContent);
}, true);
