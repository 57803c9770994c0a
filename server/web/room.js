// The room in a browser: the client's half of the JSON dialect (docs/protocol.md) over one WebSocket, as
// protocol/client.py has it. Text of others becomes text nodes, never markup. Safari 15 is the oldest browser, and an
// insecure page has neither crypto.randomUUID nor crypto.subtle.
// The server leaves lines out that have only a comment, so a comment has its own line.

"use strict";

const SIGNS = { process: "▣", thread: "≋", event: "↻" };
const NOW_SERVED = { process: "a process each", thread: "a thread each", event: "one event loop for all" };
const HELP = "/nick NAME, /me TEXT, /who, /where, /quit, and // says a line with a slash";
const MAX_LINES = 400, FOLDED_LINES = 8, MAX_NAMED = 3;
const PAINTING_MS = 1000 / 12, ANNOUNCE_MS = 2500, SAVE_MS = 5000;
const CONNECT_MS = 10000, ANSWER_MS = 2500, QUIET_MS = 25000, MAX_BACKOFF_MS = 8000;
// Events that are shown again after a reload: all of them could be a megabyte.
const REPEATED = 60;

const $ = id => document.getElementById(id);
const log = $("log"), input = $("text");

// --- Kept over a reload. A private window may keep nothing.

const STORE = "three-chat-rooms";
const saved = load();
let { nick = "", token = "" } = saved;
let seq = Math.max(0, saved.seq - REPEATED) || 0, repeated = saved.seq - seq || 0;

function load() {
  try { return JSON.parse(localStorage.getItem(STORE)) || {}; } catch { return {}; }
}

function save() {
  const lines = [...unsaid.values()].map(({ id, text, action }) => ({ id, text, action }));
  try { localStorage.setItem(STORE, JSON.stringify({ nick, token, seq, lines, draft: input.value })); } catch {}
}

// --- The connection

let socket = null, isWanted = false, inRoom = false, attempts = 0, timer = 0;

function connect() {
  disconnect();
  const mine = socket = new WebSocket(location.origin.replace("http", "ws") + "/room");
  mine.onopen = () => send({ type: "hello", nick, ...(token && { resume: { token, after: seq } }) });
  mine.onclose = () => lose("No connection to the room");
  mine.onmessage = ({ data }) => {
    after(QUIET_MS, ping);
    for (const line of data.split("\n")) if (line && mine === socket) receive(JSON.parse(line));
  };
  showState("Connecting to the room …");
  after(CONNECT_MS, () => lose("The room does not answer"));
}

// Closes also a dead socket: after a sleep, iOS says that it is open.
function disconnect() {
  clearTimeout(timer);
  if (socket) {
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
  socket = null;
  inRoom = false;
  for (const line of unsaid.values()) line.isSent = false;
}

function lose(reason) {
  disconnect();
  if (!isWanted) return;
  showState(`${reason}; trying again. What you write is kept.`, "Try now", connect);
  if (!document.hidden) after(Math.min(MAX_BACKOFF_MS, 400 * 2 ** attempts++) * (0.7 + 0.6 * Math.random()), connect);
}

function after(milliseconds, act) {
  clearTimeout(timer);
  timer = setTimeout(act, milliseconds);
}

function ping() {
  send({ type: "ping", id: "alive" });
  after(ANSWER_MS, connect);
}

// The page is seen again after a sleep, a call or another app, or the network is back.
function wake() {
  if (!isWanted || document.hidden) return;
  if (inRoom) ping();
  else if (!socket) connect();
}

function send(command) {
  if (socket && socket.readyState === 1) socket.send(JSON.stringify(command));
}

function comeBack() {
  isWanted = true;
  attempts = 0;
  connect();
}

// --- Events of the room

const people = new Set();
let me = "", limits = {}, slowSeconds = 0;

const direct = {
  welcome, refused, goodbye, status: showStatus,
  people: event => { people.clear(); [...event.people, me].forEach(one => people.add(one)); },
  notice: ({ text }) => add({ kind: "notice", text }),
};
const broadcast = {
  said, presence, switched,
  notice: ({ text, at }) => add({ kind: "notice", text, at }),
  rules: ({ text, at, rules }) => { add({ kind: "notice", text, at }); setRules(rules); },
};

function receive(event) {
  const { type, seq: number = 0 } = event;
  if (!number || type === "welcome" || type === "people") return direct[type] && direct[type](event);
  // It was received before, and answers a line that was sent twice.
  if (number <= seq) return type === "said" && settle(event.id);
  addGap(number - seq - 1);
  apply(event);
}

function apply(event) {
  seq = event.seq;
  if (broadcast[event.type]) broadcast[event.type](event);
}

function welcome(event) {
  const { resumed, motd, asked, missed = 0, history = [], rules = {} } = event;
  if (resumed) addGap(missed - repeated);
  else if (token) add({ kind: "gap", text: "this room does not know you: it was opened anew, and lines may be lost" });
  if (motd && !resumed) add({ kind: "notice", text: motd });
  me = event.you;
  history.filter(one => !resumed || one.seq > seq).forEach(apply);
  if (history.length && !resumed) add({ kind: "note", text: "that was before; from here on it is live" });
  if (asked) add({ kind: "notice", text: `${asked} is taken, so you are ${event.you}` });
  inRoom = true;
  attempts = repeated = 0;
  // Only after the history: another member may have had this nickname in it.
  ({ token, seq, limits } = event);
  setMe(event.you);
  showStatus(event);
  setRules(rules);
  showRoom();
  send({ type: "who" });
  sayNext();
  save();
}

function refused({ id, reason, wait, suggestion }) {
  if (id) return refuseLine(id, reason, wait);
  if (inRoom && log.hidden) return askNick(reason, suggestion);
  if (inRoom) return add({ kind: "error", text: suggestion ? `${reason}; ${suggestion} is free` : reason });
  nick = suggestion || nick;
  // After a restart of the server, another member may have my nickname.
  if (me && suggestion) {
    add({ kind: "notice", text: `${reason}, so you are ${nick}` });
    return connect();
  }
  isWanted = false;
  disconnect();
  askNick(reason, suggestion);
}

function goodbye({ code, reason }) {
  isWanted = Boolean(me) && !/^(quit|taken-over|kicked|banned|other-protocol)$/.test(code);
  lose(`The room says goodbye: ${reason}`);
  if (!me) askNick(reason);
  else if (code === "taken-over") showState("You are in the room in another tab or window.", "Come back here", comeBack);
  else if (!isWanted) showState(`Goodbye: ${reason}.`, "Join again", comeBack);
  if (code !== "quit") return;
  // A member that joins again is a newcomer, and is sent the last lines again.
  token = $("lines").textContent = "";
  save();
}

function showStatus({ model, connections, served_by }) {
  showModel(model);
  $("count").textContent = connections + (connections === 1 ? " connection" : " connections");
  $("server").textContent = served_by;
}

function showModel(model) {
  $("model").textContent = `${SIGNS[model] || "◌"} ${model}`;
  document.documentElement.style.setProperty("--model", modelColour(model));
}

function switched({ model, carried, pause, at }) {
  if (inRoom) showModel(model);
  const text = `${SIGNS[model] || "◌"} now ${NOW_SERVED[model] || model}: ${carried} carried over in ${Math.round(pause * 1000)} ms`;
  add({ kind: "rule", text, at, colour: modelColour(model) });
}

function setRules({ pin = "", quiet, slow = 0 }) {
  slowSeconds = slow;
  $("pin").textContent = pin;
  $("pin").hidden = !pin;
  input.placeholder = quiet ? "Only operators may speak now" : slow ? `A line every ${slow} s` : "Say something to everybody";
  // After a change the room accepts the next line at once.
  speakAt(0);
}

function setMe(name) {
  me = nick = name;
  $("me").textContent = me;
}

// --- My lines: dim until the room answers, and sent again on each new connection

const unsaid = new Map();
let nextLineAt = 0, waiting = 0;

function enqueue(text, action, id) {
  const element = draw({ kind: "said", nick: me || nick, text, action, isOwn: true });
  unsaid.set(id, { id, text, action, element });
  isAtEnd = true;
  schedule();
  sayNext();
}

function sayNext() {
  for (const line of unsaid.values()) {
    if (!inRoom || Date.now() < nextLineAt) return;
    if (!line.isSent) send({ type: "say", id: line.id, text: line.text, action: line.action });
    line.isSent = true;
    // In slow mode, each line waits for the answer to the one before.
    if (slowSeconds) return;
  }
}

function settle(id) {
  const line = unsaid.get(id);
  if (!line) return false;
  unsaid.delete(id);
  settled.push(line.element);
  schedule();
  if (slowSeconds) speakAt(Date.now() + slowSeconds * 1000);
  return true;
}

function refuseLine(id, reason, wait) {
  const line = unsaid.get(id);
  if (!line) return;
  line.isSent = false;
  if (wait) return speakAt(Date.now() + wait * 1000);
  settle(id);
  add({ kind: "error", text: `not said: ${reason}\n${line.text}` });
  if (!input.value) write((line.action ? "/me " : "") + line.text);
}

function speakAt(time) {
  clearTimeout(waiting);
  nextLineAt = time;
  const left = time - Date.now();
  for (const { element } of unsaid.values()) element.dataset.wait = left > 0 ? `in ${Math.ceil(left / 1000)} s` : "";
  if (left > 0) waiting = setTimeout(speakAt, Math.min(1000, left), time);
  else sayNext();
}

function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), byte => byte.toString(16).padStart(2, "0")).join("");
}

// --- People: changes that follow each other are one line

let crowd = null;

function presence({ joined = [], left = [], renamed = [], at }) {
  if (!crowd) {
    add({ kind: "crowd", at });
    crowd = Object.assign(queue[queue.length - 1], { joined: new Set(), left: new Set(), renamed: [] });
  }
  for (const one of left) {
    people.delete(one);
    if (!crowd.joined.delete(one)) crowd.left.add(one);
  }
  // All at once, so that two people can swap their names.
  for (const [old] of renamed) people.delete(old);
  for (const one of [...renamed.map(pair => pair[1]), ...joined]) people.add(one);
  for (const one of joined) if (!crowd.left.delete(one)) crowd.joined.add(one);
  crowd.renamed.push(...renamed.map(([old, now]) => `${old} is now ${now}`));
  const told = [listNames(crowd.joined, "joined"), listNames(crowd.left, "left"), listNames(crowd.renamed, "")];
  crowd.text = told.filter(words => words).join("; ") || "people came and went";
  const mine = inRoom && renamed.find(([old]) => old === me);
  if (mine) {
    setMe(mine[1]);
    showRoom();
  }
  schedule();
}

function listNames(names, verb) {
  const shown = [...names];
  if (shown.length > MAX_NAMED) shown.splice(MAX_NAMED - 1, Infinity, `${shown.length - MAX_NAMED + 1} others`);
  const last = shown.pop();
  return last && `${shown.length ? `${shown.join(", ")} and ` : ""}${last} ${verb}`;
}

// --- The log: it stays where it is while somebody reads back

let queue = [], settled = [], isAtEnd = true, unseen = 0, isScheduled = false, paintedAt = 0, cost = 0, lastMinute = 0;

function said({ nick, text, action, at, id }) {
  const isOwn = settle(id) || nick === me;
  add({ kind: "said", nick, text, action, at, isOwn, isMention: !isOwn && mentions(text) });
}

function addGap(missed) {
  if (missed > 0) add({ kind: "gap", text: `${missed} things that happened here are lost` });
}

function add(entry) {
  crowd = null;
  queue.push(entry);
  if (queue.length > MAX_LINES) queue.shift();
  if (inRoom && !entry.isOwn && entry.text) announce(entry.nick ? `${entry.nick}: ${entry.text}` : entry.text);
  schedule();
}

// After a quiet time a line is painted at once. A slow phone, whose paintings take long, paints less often.
function schedule() {
  if (!isScheduled) setTimeout(paint, paintedAt + Math.max(PAINTING_MS, 3 * cost) - performance.now());
  isScheduled = true;
}

function paint() {
  const lines = $("lines"), entries = queue;
  queue = [];
  isScheduled = false;
  paintedAt = performance.now();
  setTimeout(() => { cost = performance.now() - paintedAt; });
  for (const element of settled.splice(0)) element.remove();
  lines.append(...entries.map(entry => entry.element = draw(entry)));
  if (crowd) crowd.element.lastChild.textContent = crowd.text;
  for (const { element } of unsaid.values()) if (!element.isConnected) $("unsaid").append(element);
  entries.forEach(fold);
  const bottom = lines.getBoundingClientRect().bottom;
  while (lines.childElementCount > (isAtEnd ? 1 : 2) * MAX_LINES) lines.firstChild.remove();
  if (isAtEnd) return scrollToEnd();
  log.scrollTop += lines.getBoundingClientRect().bottom - bottom;
  showUnseen(unseen + entries.filter(entry => entry.nick).length);
}

function draw({ kind, nick, text = "", action, at = 0, isOwn, isMention, colour = "" }) {
  const line = make("p", kind), minute = Math.floor(at / 60), time = new Date(at * 1000), body = make("span");
  if (at && minute !== lastMinute) {
    lastMinute = minute;
    line.append(make("time", "", `${time.getHours()}:${String(time.getMinutes()).padStart(2, "0")}`));
  }
  if (nick) {
    line.append(make("b", "", nick), " ");
    line.querySelector("b").style.color = nickColour(nick);
  }
  if (action) line.classList.add("action");
  if (isOwn) line.classList.add("own");
  if (isMention) line.classList.add("mention");
  line.style.color = colour;
  body.dir = "auto";
  appendText(body, text);
  line.append(body);
  return line;
}

// Only a text that is longer than the fold gets a button.
function fold({ text = "", element }) {
  if (text.length < 300 && text.split("\n").length <= FOLDED_LINES) return;
  const body = element.lastChild, more = make("button", "", "Show all");
  element.classList.add("folded");
  if (body.scrollHeight <= body.clientHeight + 1) return element.classList.remove("folded");
  more.onclick = () => { more.textContent = element.classList.toggle("folded") ? "Show all" : "Show less"; };
  element.append(more);
}

function appendText(body, text) {
  let end = 0;
  for (const { 0: found, index } of text.matchAll(/\bhttps?:\/\/[^\s<>"'`{}|\\^[\]]+/gi)) {
    const url = withoutSentence(found);
    if (url.length > 2048 || url.endsWith("//")) continue;
    const link = Object.assign(make("a", "", url), { href: url, target: "_blank", rel: "noopener noreferrer nofollow" });
    body.append(text.slice(end, index), link);
    end = index + url.length;
  }
  body.append(text.slice(end));
}

// A closing bracket is kept only if the address has its opening one.
function withoutSentence(url) {
  while (/[.,;:!?…*_~]$/.test(url) || (url.endsWith(")") && url.split(")").length > url.split("(").length)) url = url.slice(0, -1);
  return url;
}

function mentions(text) {
  const name = me.normalize("NFC").replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  return RegExp(`(^|[^\\p{L}\\p{N}_-])${name}(?![\\p{L}\\p{N}_-]|\\.[\\p{L}\\p{N}_])`, "iu").test(text.normalize("NFC"));
}

function make(tag, className = "", text = "") {
  return Object.assign(document.createElement(tag), { className, textContent: text });
}

function modelColour(model) {
  return `var(--${SIGNS[model] ? model : "quiet"})`;
}

// The colour that chat-tui gives the name: by CRC-32 of its case-folded form.
function nickColour(name) {
  const folded = Array.from(name, letter => letter === "ı" ? letter : letter.toUpperCase().toLowerCase()).join("");
  let crc = -1;
  for (const byte of new TextEncoder().encode(folded)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ (crc & 1 && 0xedb88320);
  }
  return `var(--n${~crc & 15})`;
}

function showUnseen(count) {
  unseen = count;
  $("newer").textContent = `↓ ${count} new`;
  $("newer").hidden = !count;
}

function scrollToEnd() {
  isAtEnd = true;
  log.scrollTop = log.scrollHeight;
  showUnseen(0);
}

// A screen reader hears at most one line every ANNOUNCE_MS: the last one, and how many there were.
let announcing = 0, announced = [];

function announce(words) {
  announced.push(words);
  announcing = announcing || setTimeout(() => {
    const count = announced.length, last = announced.pop();
    $("aloud").textContent = count > 1 ? `${count} lines. The last: ${last}` : last;
    announced = [];
    announcing = 0;
  }, ANNOUNCE_MS);
}

// --- What a person does

const commands = new Map(Object.entries({
  nick: name => { if (name) send({ type: "rename", nick: name }); else askNick(); },
  me: text => text ? say(text, true) : "/me takes a word after it: /me waves",
  who: () => addNote(`${people.size} here: ${[...people].sort().join(", ")}`),
  where: () => send({ type: "where" }),
  quit: () => send({ type: "quit" }),
  help: () => addNote(HELP),
}));

function addNote(text) {
  isAtEnd = true;
  add({ kind: "note", text });
}

// Returns the reason if it cannot be done now.
function run(text) {
  const [, name, argument] = /^\/(?!\/)(\S*)\s*([^]*)$/.exec(text) || [];
  if (name === undefined) return say(text.replace(/^\/\//, "/"));
  const command = commands.get(name.toLowerCase());
  if (!command) return `there is no command /${name}; there are ${HELP}`;
  return !inRoom && name !== "me" ? `not connected, so not sent: ${text}` : command(argument);
}

function say(text, action = false) {
  const id = newId(), bytes = new TextEncoder().encode(JSON.stringify({ type: "say", id, text, action })).length;
  const sizes = [[[...text].length, limits.text, "characters"], [text.split("\n").length, limits.lines, "lines"], [bytes, limits.line, "bytes"]];
  for (const [used, allowed, unit] of sizes) {
    if (used > allowed) return `that is too long: it has ${used} ${unit}, and ${allowed} are allowed`;
  }
  enqueue(text, action, id);
}

function submit(event) {
  event.preventDefault();
  const text = input.value.trimEnd(), problem = text && run(text);
  if (problem) add({ kind: "error", text: problem });
  else write("");
  save();
}

function write(text) {
  input.value = text;
  grow();
}

// The field is as tall as its text.
function grow() {
  input.style.height = "";
  if (input.scrollHeight > input.clientHeight) input.style.height = `${input.scrollHeight + 2}px`;
}

let hasShift = false;
input.onkeydown = event => { hasShift = event.shiftKey; };
input.oninput = grow;
// Enter says the line, also on the keyboard of a phone. Shift+Enter begins a new one.
input.addEventListener("beforeinput", event => {
  if (/^insert(LineBreak|Paragraph)$/.test(event.inputType) && !hasShift) submit(event);
});
$("say").onsubmit = submit;
// The keyboard of a phone stays open.
$("send").onpointerdown = event => event.preventDefault();

for (const button of document.querySelectorAll("[data-command]")) button.onclick = () => {
  const { command } = button.dataset;
  $("menu").open = false;
  if (command === "/me") {
    write(`/me ${input.value}`);
    return input.focus();
  }
  const problem = run(command);
  if (problem) add({ kind: "error", text: problem });
};
document.onpointerdown = ({ target }) => { if (!target.closest("#menu")) $("menu").open = false; };

log.onscroll = () => {
  isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 48;
  if (isAtEnd) showUnseen(0);
};
$("newer").onclick = scrollToEnd;

$("door").onsubmit = event => {
  event.preventDefault();
  const name = $("nick").value.trim();
  $("why").textContent = "";
  if (inRoom) return name === me ? showRoom() : send({ type: "rename", nick: name });
  nick = name;
  comeBack();
};
$("cancel").onclick = showRoom;

function askNick(why = "", suggestion = "") {
  $("join").textContent = inRoom ? "Change" : "Join";
  $("cancel").hidden = !inRoom;
  $("about").hidden = Boolean(me);
  $("why").textContent = why;
  $("nick").value = suggestion || nick;
  showDoor(true);
  $("nick").select();
}

function showRoom() {
  const wasAsked = !$("door").hidden;
  showDoor(false);
  for (const id of ["count", "menu", "served"]) $(id).hidden = false;
  if (wasAsked) input.focus({ preventScroll: true });
}

function showDoor(isShown) {
  $("door").hidden = !isShown;
  log.hidden = $("say").hidden = isShown;
  showState("");
}

function showState(text, action = "", act = null) {
  $("state").hidden = !text;
  $("remedy").hidden = !action;
  $("trouble").textContent = text;
  $("remedy").textContent = action;
  $("remedy").onclick = act;
}

// --- The window. When a keyboard opens, iOS makes only the visual viewport smaller.

function fit() {
  const { scale, height, offsetTop } = visualViewport, { style } = document.documentElement;
  // A person zooms in.
  if (scale > 1.01) return;
  style.setProperty("--height", `${height}px`);
  style.setProperty("--top", `${offsetTop}px`);
  grow();
}
visualViewport.onresize = visualViewport.onscroll = fit;
fit();
new ResizeObserver(() => { if (isAtEnd) scrollToEnd(); }).observe(log);

document.onvisibilitychange = window.onpageshow = window.ononline = wake;
window.onpagehide = () => { if (isWanted) save(); };
setInterval(() => { if (inRoom) save(); }, SAVE_MS);

// --- Start: after a reload, as the same person

$("nick").value = nick;
$("warning").hidden = location.protocol === "https:";
write(saved.draft || "");
for (const { text, action, id } of saved.lines || []) enqueue(text, action, id);
if (token) comeBack();
