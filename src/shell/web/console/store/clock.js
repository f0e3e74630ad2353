// One tick a second for everything that shows a running time.

import { signal } from '../vendor/preact.js';

export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);
addEventListener('visibilitychange', () => {
  if (!document.hidden) now.value = Date.now();
});
