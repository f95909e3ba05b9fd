import '@fontsource-variable/geist/wght.css';
import '@fontsource-variable/geist-mono/wght.css';
import './style/base.css';
import './style/shell.css';
import './style/composer.css';
import './style/job.css';
import './style/graph.css';
import './style/transcript.css';
import './style/panels.css';
import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { takeLinkedToken } from './api/session.ts';
import { applyTheme } from './parts/theme.tsx';

takeLinkedToken();
applyTheme();
// A link that is opened where the page already is changes the address alone.
addEventListener('hashchange', () => void (takeLinkedToken() && location.reload()));
// A file of an older build is gone once the gateways are newer: one reload brings the new page.
addEventListener('vite:preloadError', (event) => {
  if (sessionStorage.getItem('loom.reloaded') === '1') return;
  event.preventDefault();
  sessionStorage.setItem('loom.reloaded', '1');
  location.reload();
});

const place = document.getElementById('page');
if (place === null) throw new Error('the page has no place to stand');
createRoot(place).render(<App />);
