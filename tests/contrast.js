// The texts in a part of the page whose contrast is below what WCAG AA asks for, 4.5 to 1, or 3 to 1
// for large ones.
(selector) => {
  const channels = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, below) => {
    const mix = (name) => top[name] * top.a + below[name] * (1 - top.a);
    return { r: mix("r"), g: mix("g"), b: mix("b"), a: 1 };
  };
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (node) => {
    const layers = [];
    for (; node; node = node.parentElement) layers.push(channels(getComputedStyle(node).backgroundColor));
    const base = channels(getComputedStyle(document.body).colorScheme === "dark" ? "rgb(18,18,18)" : "rgb(255,255,255)");
    return layers.reverse().reduce((below, top) => over(top, below), base);
  };
  const weak = new Map(), root = document.querySelector(selector);
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || !node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (["STYLE", "SCRIPT", "TITLE", "DESC"].includes(node.tagName.toUpperCase())) continue;
    const style = getComputedStyle(node), below = ground(node);
    const paint = node.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const [light, dark] = [luminance(over(channels(paint), below)), luminance(below)].sort((x, y) => y - x);
    const ratio = (light + 0.05) / (dark + 0.05), size = parseFloat(style.fontSize);
    const least = size >= 24 || (size >= 18.66 && style.fontWeight >= 700) ? 3 : 4.5;
    if (ratio < least) weak.set(`${paint} on ${Object.values(below).map(Math.round)}`, `${ratio.toFixed(2)} ${node.tagName}.${node.className?.baseVal ?? node.className}: ${texts.currentNode.data.trim().slice(0, 40)}`);
  }
  return [...weak].map(([colours, text]) => `${colours}: ${text}`);
}
