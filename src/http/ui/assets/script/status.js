
// The status page, and the page of a program, which is one row of it.

const FAILING = ['FATAL', 'BACKOFF'];

class StatusPage {
  constructor() {
    this.rowTemplate = byId('row-template');
    this.rows = new Map();
    this.rowOf = new WeakMap();
    this.observer = new IntersectionObserver((entries) => {
      for (const entry of entries) this.rowOf.get(entry.target).see(entry.isIntersecting, this.live.now());
    });
    for (const element of document.querySelectorAll('main .process')) this.adopt(element);
    this.live = new Live(this);
    setInterval(() => this.each((row, now) => row.seen && row.tick(now)), 1000);
    setInterval(() => this.each((row, now) => row.sample(now)), SAMPLE_MILLIS);
  }

  adopt(element) {
    const row = new Row(element, this.rowTemplate);
    this.rows.set(row.namespec, row);
    this.rowOf.set(element, row);
    this.observer.observe(element);
    return row;
  }

  each(visit) {
    if (document.hidden || !this.live.source) return;
    for (const row of this.rows.values()) visit(row, this.live.now());
  }

  status(data) {
    showSupervisor(data.supervisor);
    for (const process of data.processes) this.find(process)?.update(process, data.now);
    const told = new Set(data.processes.map((process) => process.namespec));
    const isGone = data.complete ? (namespec) => !told.has(namespec) : (namespec) => data.removed.includes(namespec);
    for (const row of [...this.rows.values()]) {
      if (isGone(row.namespec)) this.remove(row);
    }
  }

  usage(data) {
    for (const [namespec, figures] of Object.entries(data.processes)) {
      this.rows.get(namespec)?.use(figures, data.now);
    }
  }

  find(process) {
    return this.rows.get(process.namespec);
  }

  remove(row) {
    say(`ERROR: ${row.namespec} is not there any more`);
  }
}

class ListPage extends StatusPage {
  constructor() {
    super();
    this.table = byId('processes');
    this.filter = byId('filter');
    this.onlyState = '';
    this.foldedKey = `folded.${location.pathname}`;
    this.folded = new Set(JSON.parse(remembered.get(this.foldedKey) ?? '[]'));
    this.filter.addEventListener('input', () => this.show());
    for (const button of this.stateButtons()) {
      button.disabled = false;
      button.addEventListener('click', () => this.choose(button.dataset.state));
    }
    for (const body of this.groups()) this.makeFoldable(body);
    this.show();
  }

  stateButtons() {
    return document.querySelectorAll('.counts button');
  }

  groups() {
    return [...this.table.querySelectorAll('tbody.group')];
  }

  makeFoldable(body) {
    const button = body.querySelector('.fold');
    button.disabled = false;
    button.addEventListener('click', () => {
      const name = body.dataset.group;
      if (!this.folded.delete(name)) this.folded.add(name);
      remembered.set(this.foldedKey, JSON.stringify([...this.folded]));
      this.show();
    });
  }

  // A second press takes the choice back.
  choose(state) {
    this.onlyState = state === this.onlyState ? '' : state;
    for (const button of this.stateButtons()) {
      button.setAttribute('aria-pressed', String(button.dataset.state === this.onlyState));
    }
    this.show();
  }

  status(data) {
    super.status(data);
    this.show();
  }

  find(process) {
    return super.find(process) ?? this.add(process);
  }

  // Rows and groups stay in the order of their names.
  add(process) {
    const body = process.group === process.name ? byId('single') : this.groupBody(process.group);
    const element = instantiate(this.rowTemplate, process.group, process.name);
    // A group's own name in front is only for members of another name.
    if (process.group === process.name) element.querySelector('.name a').textContent = process.name;
    const next = [...body.querySelectorAll('tr.process')].find((other) => other.dataset.name > process.name);
    body.insertBefore(element, next ?? null);
    return this.adopt(element);
  }

  groupBody(group) {
    const there = this.groups().find((body) => body.dataset.group === group);
    if (there) return there;
    const body = instantiate(byId('group-template'), group, '');
    const next = this.groups().find((other) => other.dataset.group > group);
    this.table.insertBefore(body, next ?? null);
    this.makeFoldable(body);
    return body;
  }

  remove(row) {
    const body = row.element.closest('tbody');
    this.rows.delete(row.namespec);
    this.observer.unobserve(row.element);
    row.element.remove();
    if (body.matches('.group') && !body.querySelector('tr.process')) body.remove();
  }

  // Shows what matches the filter and counts. While a filter is on, groups are unfolded.
  show() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const filtering = words.length > 0 || this.onlyState !== '';
    let shown = 0;
    for (const row of this.rows.values()) {
      const text = `${row.namespec} ${row.state}`.toLowerCase();
      const matches = words.every((word) => text.includes(word)) && (!this.onlyState || row.state === this.onlyState);
      const folded = !filtering && row.group !== row.name && this.folded.has(row.group);
      row.element.hidden = !matches || folded;
      shown += matches ? 1 : 0;
    }
    for (const body of this.groups()) this.showGroup(body, filtering);
    this.showCounts();
    byId('nothing').textContent = this.rows.size > 0 ? '' : 'No programs to manage';
    byId('nothing').hidden = this.rows.size > 0;
    this.table.hidden = this.rows.size === 0;
    byId('unmatched').hidden = shown > 0 || this.rows.size === 0;
  }

  showGroup(body, filtering) {
    const members = [...body.querySelectorAll('tr.process')];
    body.hidden = filtering && members.every((element) => element.hidden);
    const open = filtering || !this.folded.has(body.dataset.group);
    body.querySelector('.fold').setAttribute('aria-expanded', String(open));
    const running = members.filter((element) => element.dataset.state === 'RUNNING').length;
    body.querySelector('.tally .count').textContent = running;
    for (const total of body.querySelectorAll('.total')) total.textContent = members.length;
    body.classList.toggle('failing', members.some((element) => FAILING.includes(element.dataset.state)));
  }

  showCounts() {
    const counts = new Map();
    for (const row of this.rows.values()) counts.set(row.state, (counts.get(row.state) ?? 0) + 1);
    for (const button of this.stateButtons()) {
      const state = button.dataset.state;
      if (state === '') continue;
      button.querySelector('.count').textContent = counts.get(state) ?? 0;
      button.hidden = !counts.has(state) && state !== this.onlyState;
    }
    for (const total of document.querySelectorAll('.toolbar .total')) total.textContent = this.rows.size;
    const failing = FAILING.reduce((sum, state) => sum + (counts.get(state) ?? 0), 0);
    document.title = failing ? `(${failing} failing) Supervisor Status` : 'Supervisor Status';
  }
}
