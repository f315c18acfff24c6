
// Which page this is.

addEventListener('DOMContentLoaded', () => {
  startPage();
  const log = byId('log');
  if (byId('processes')) new ListPage();
  else if (log?.dataset.follow) new LogPage(log);
  else if (document.querySelector('article.process')) new StatusPage();
});
