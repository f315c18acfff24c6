'use strict';

// What every page shares: colours, messages, forms sent without leaving the page, menus, what the browser remembers.

const root = document.documentElement;
root.classList.add('js');

const byId = (id) => document.getElementById(id);

// A text that is there already is not written again: a screen reader would say it again.
function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

// What is remembered in this browser; nothing at all where it forbids that.
const remembered = {
  get(key) {
    try {
      return localStorage.getItem(`supervisor.${key}`);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      if (value === null) localStorage.removeItem(`supervisor.${key}`);
      else localStorage.setItem(`supervisor.${key}`, value);
    } catch {
      // Then it is forgotten.
    }
  },
  // What was spoilt there is an empty list.
  getList(key) {
    try {
      return [].concat(JSON.parse(this.get(key)) ?? []);
    } catch {
      return [];
    }
  },
};

// Dark or light: what was chosen here, else what the system prefers.

const systemIsDark = matchMedia('(prefers-color-scheme: dark)');

function theme() {
  return remembered.get('theme') ?? (systemIsDark.matches ? 'dark' : 'light');
}

function showTheme() {
  const chosen = remembered.get('theme');
  if (chosen) root.dataset.theme = chosen;
  else delete root.dataset.theme;
  byId('theme')?.setAttribute('aria-pressed', String(theme() === 'dark'));
}

// A choice of what the system prefers anyway is forgotten, so that the page follows the system again.
function switchTheme() {
  const chosen = theme() === 'dark' ? 'light' : 'dark';
  const preferred = systemIsDark.matches ? 'dark' : 'light';
  remembered.set('theme', chosen === preferred ? null : chosen);
  showTheme();
}

// Messages. Good news goes away by itself, bad news stays.

const GOOD_NEWS_MILLIS = 12_000;
let messageTimer = 0;

function say(text) {
  const bad = /^(ERROR|unexpected|No such)/.test(text);
  const message = byId('message');
  message.textContent = text;
  message.parentElement.classList.toggle('bad', bad);
  clearTimeout(messageTimer);
  if (text && !bad) messageTimer = setTimeout(say, GOOD_NEWS_MILLIS, '');
}

// A page that was reloaded does not tell the same news again.
function takeMessageFromAddress() {
  const address = new URL(location.href);
  if (address.searchParams.has('message')) {
    say(byId('message').textContent);
    address.searchParams.delete('message');
    history.replaceState(null, '', address);
  }
}

// Forms

// The token changes with every start of the daemon.
async function renewToken() {
  const text = await (await fetch('index.html', { cache: 'no-store' })).text();
  const page = new DOMParser().parseFromString(text, 'text/html');
  const token = page.querySelector('input[name=token]')?.value ?? '';
  const places = [document, ...[...document.querySelectorAll('template')].map((template) => template.content)];
  for (const place of places) {
    for (const input of place.querySelectorAll('input[name=token]')) input.value = token;
  }
  return token;
}

// Sends fields and returns what the daemon says. A person who goes on to another page still wants it done, so the browser
// sends it nevertheless.
async function post(address, fields) {
  const headers = { Accept: 'application/json' };
  const send = () => fetch(address, { method: 'POST', body: fields, headers, keepalive: true });
  let answer = await send();
  if (answer.status === 403) {
    fields.set('token', await renewToken());
    answer = await send();
  }
  const { message } = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(message ?? `${answer.status} ${answer.statusText}`);
  return message;
}

// Presses a button of a form. The one that shows it (for a question, the button that asked) is busy meanwhile.
async function act(form, button) {
  const menu = button.closest('details.menu');
  const shown = menu ? menu.querySelector('summary') : button;
  if (shown.ariaBusy === 'true') return;
  if (menu) {
    menu.open = false;
    shown.focus();
  }
  shown.ariaBusy = 'true';
  try {
    const fields = new URLSearchParams(new FormData(form, button));
    // form.action is the button of that name.
    say(await post(form.getAttribute('action'), fields));
  } catch (error) {
    // Browsers report a lost connection as a TypeError, each in its own words.
    say(`ERROR: ${error instanceof TypeError ? 'the supervisor does not answer' : error.message}`);
  } finally {
    shown.ariaBusy = null;
    form.dispatchEvent(new CustomEvent('acted', { bubbles: true }));
  }
}

// Menus: one at a time, closed by Escape and by a click elsewhere.

function closeMenus(except) {
  for (const menu of document.querySelectorAll('details.menu[open]')) {
    if (menu !== except) menu.open = false;
  }
}

function escapeMenu() {
  const menu = document.querySelector('details.menu[open]');
  if (!menu) return false;
  menu.open = false;
  menu.querySelector('summary').focus();
  return true;
}

function isTyping(target) {
  return target.matches('input:not([type=checkbox]), textarea, select');
}

// `/` goes to the page's search box; Escape empties it.
function onKey(event) {
  const box = document.querySelector('input[type=search]');
  if (event.key === 'Escape') {
    if (escapeMenu() || !box?.value) return;
    event.preventDefault();
    box.value = '';
    box.dispatchEvent(new Event('input'));
  } else if (event.key === '/' && box && !isTyping(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
    box.select();
  }
}

function startPage() {
  showTheme();
  systemIsDark.addEventListener('change', showTheme);
  byId('theme').addEventListener('click', switchTheme);
  byId('dismiss').addEventListener('click', () => say(''));
  takeMessageFromAddress();
  document.addEventListener('keydown', onKey);
  document.addEventListener('click', (event) => closeMenus(event.target.closest('details.menu')));
  document.addEventListener('submit', (event) => {
    // The page of a refusal says what is not true any more when this is done: the browser is sent to the status page.
    if (event.target.closest('.refusal')) return;
    event.preventDefault();
    act(event.target, event.submitter);
  });
}

// Figures, as the pages of the daemon write them.

function bytesText(bytes) {
  const units = ['kB', 'MB', 'GB', 'TB'];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(value < 99.95 && unit > 0 ? 1 : 0)} ${units[unit]}`;
}

function uptimeText(secs) {
  const two = (number) => String(number).padStart(2, '0');
  const days = Math.floor(secs / 86400);
  const clock = `${Math.floor((secs % 86400) / 3600)}:${two(Math.floor((secs % 3600) / 60))}:${two(secs % 60)}`;
  if (days === 0) return clock;
  return days === 1 ? `1 day, ${clock}` : `${days} days, ${clock}`;
}

function agoText(secs) {
  if (secs < 60) return 'just now';
  if (secs < 3600) return `${Math.floor(secs / 60)} min ago`;
  if (secs < 86400) return `${Math.floor(secs / 3600)} h ago`;
  return `${Math.floor(secs / 86400)} d ago`;
}

showTheme();
