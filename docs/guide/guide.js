/* SPDX-License-Identifier: Apache-2.0 */
/* guide.js - a button to copy each example; without it the page lacks nothing else. */
const words = document.documentElement.lang === 'tr' ? ['Kopyala', 'Kopyalandı'] : ['Copy', 'Copied'];

for (const figure of navigator.clipboard ? document.querySelectorAll('figure') : []) {
  const button = document.createElement('button');

  button.className = 'copy';
  button.type = 'button';
  button.textContent = words[0];
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(figure.querySelector('code').textContent);
    button.textContent = words[1];
    setTimeout(() => { button.textContent = words[0]; }, 2000);
  });
  figure.append(button);
}
