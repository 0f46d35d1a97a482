/* SPDX-License-Identifier: Apache-2.0 */
/* dom.js - elements from values. Text only ever becomes text nodes, so that nothing a customer wrote can be markup. */

/* What is not there is left out. */
const parts = (children) => children.flat(3).filter((child) => child !== null && child !== undefined && child !== false);

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);

  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else if (name in made && typeof value === 'boolean') made[name] = value;
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...parts(children));
  return made;
}

export function replace(parent, ...children) {
  parent.replaceChildren(...parts(children));
  return parent;
}

/* A button that is off while its work runs, and says what went wrong beside itself. */
export function button(text, work, attributes = {}) {
  const made = el('button', { type: 'button', ...attributes, onclick: async () => {
    made.disabled = true;
    made.nextElementSibling?.matches('.trouble.of-button') && made.nextElementSibling.remove();
    try {
      await work();
    } catch (error) {
      if (made.isConnected) made.after(el('p', { class: 'trouble of-button', role: 'alert' }, error.message));
    } finally {
      made.disabled = false;
    }
  } }, text);
  return made;
}

/* A labelled field; its input is the label's `control`. */
export function field(label, attributes = {}, hint = null) {
  const control = el('input', { autocomplete: 'off', ...attributes });

  return el('label', { class: attributes.type === 'checkbox' ? 'field check' : 'field' },
    attributes.type === 'checkbox' ? [control, el('span', {}, label)] : [el('span', {}, label), control],
    hint && el('small', {}, hint));
}

/* A modal dialog with a title and a way out; resolves when it was closed. */
export function dialog(title, closeWord, ...children) {
  const box = el('dialog', { 'aria-label': title, class: 'box' },
    el('header', {}, el('h2', {}, title),
      el('button', { type: 'button', class: 'quiet', onclick: () => box.close() }, closeWord)),
    ...children);

  box.addEventListener('close', () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}

export function announce(text) {
  document.getElementById('announcer').textContent = text;
}
