// Asked of an open page by barriers.py; axe is there already.
window.csAsk = (() => {
  const clean = text => (text || '').trim().replace(/\s+/g, ' ');
  const say = e => {
    const classes = typeof e.className === 'string' ? clean(e.className).replaceAll(' ', '.') : '';
    const mark = e.id ? '#' + e.id : classes && '.' + classes;
    return `${e.tagName.toLowerCase()}${mark} “${clean(e.textContent || e.value).slice(0, 40)}”`;
  };
  const can = 'a[href], button, input, select, textarea, summary, iframe, [tabindex], [contenteditable]';
  const stops = () => [...document.querySelectorAll(can)].filter(e =>
    e.tabIndex >= 0 && !e.disabled && e.type !== 'hidden' && !e.closest('[inert], dialog:not([open])')
    && e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length);

  // What axe calls a violation, whatever its weight; or only what another colour can change: each width is asked as a whole once.
  const CHANGING = ['color-contrast', 'link-in-text-block'];
  const barriers = async whole => {
    const which = whole ? {rules: {'target-size': {enabled: true}}} : {runOnly: {type: 'rule', values: CHANGING}};
    // Style sheets are not fetched: no rule that is asked reads them, and axe would break the page's policy with each `@import`.
    const result = await axe.run(document, {resultTypes: ['violations'], preload: false, ...which});
    return result.violations.map(v => `${v.id} (${v.impact}): `
      + v.nodes.slice(0, 3).map(n => `${n.target.join(' ')} ${n.html.slice(0, 90)}`).join(' | '));
  };

  // Whatever the tabulator stops at has a name for who does not see it.
  const nameless = () => {
    axe.setup(document.documentElement);
    const found = stops().filter(e => !axe.commons.text.accessibleText(e).trim()).map(e => 'no name: ' + say(e));
    axe.teardown();
    return found;
  };

  // Wider than the window, and by what.
  const wide = words => {
    const over = document.documentElement.scrollWidth - window.innerWidth;
    // Its own text may be wider than the box that it stands in.
    const rects = e => [e, ...[...e.childNodes].filter(n => n.nodeType === Node.TEXT_NODE)].map(n => {
      if (n === e) { return e.getBoundingClientRect(); }
      const range = document.createRange();
      range.selectNode(n);
      return range.getBoundingClientRect();
    });
    const out = e => rects(e).some(r => r.right > window.innerWidth + 0.5);
    if (over <= 0) { return []; }
    const guilty = [...document.body.querySelectorAll('*')].filter(e => {
      if (!out(e) || [...e.children].some(out)) { return false; }
      for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) {
        if (getComputedStyle(p).overflowX !== 'visible') { return false; }
      }
      return true;
    });
    return [`${words}: ${over} pixels too wide: ` + guilty.slice(0, 3).map(say).join(' | ')];
  };

  // Text that its box cuts off below, where nothing says that there is more.
  const cut = words => [...document.body.querySelectorAll('*')].filter(e => {
    const style = getComputedStyle(e);
    const less = e.scrollHeight - e.clientHeight > 3 && e.clientHeight > 1 && e.clientWidth > 1;
    return less && style.overflowY === 'hidden' && style.webkitLineClamp === 'none' && e.checkVisibility()
      && !/^(svg|iframe|textarea)$/i.test(e.tagName) && !e.closest('.js-plotly-plot, svg')
      && [...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.textContent.trim());
  }).slice(0, 3).map(e => `${words}: cut off: ` + say(e));

  // Whether any of it is on top: not wholly under a bar that stays (WCAG 2.4.11).
  const onTop = e => {
    const label = e.closest('label') || (e.labels && e.labels[0]);
    const rects = [...e.getClientRects(), ...(label ? label.getClientRects() : [])];
    return rects.some(r => [0.1, 0.5, 0.9].some(x => [0.15, 0.5, 0.85].some(y => {
      const hit = document.elementFromPoint(r.left + r.width * x, r.top + r.height * y);
      return hit && (e.contains(hit) || hit.contains(e) || (label && label.contains(hit)));
    })));
  };

  // Upwards from the end, where a bar at the top would hide what gets the focus.
  const obscured = () => {
    const found = [];
    window.scrollTo(0, document.documentElement.scrollHeight);
    for (const e of stops().reverse().slice(0, 250)) {
      e.focus();
      if (document.activeElement === e && !onTop(e)) { found.push('hidden focus: ' + say(e)); }
    }
    document.activeElement.blur();
    window.scrollTo(0, 0);
    return found.slice(0, 5);
  };

  // What has the focus, as a screen reader says it, and whether a ring is drawn around it, its label or what shows it.
  const said = n => [...n.childNodes].map(c => {
    if (c.nodeType === Node.TEXT_NODE) { return c.textContent; }
    if (c.nodeType !== Node.ELEMENT_NODE || c.getAttribute('aria-hidden') === 'true') { return ''; }
    return c.getAttribute('aria-label') || said(c);
  }).join(' ');
  const nameOf = e => {
    const by = clean(e.getAttribute('aria-labelledby')).split(' ').map(id => id && document.getElementById(id)).filter(Boolean);
    const field = /^(INPUT|SELECT|TEXTAREA)$/.test(e.tagName), button = /^(submit|button)$/.test(e.type);
    const inside = field ? (button && e.value) || e.placeholder : said(e);
    return by.map(said).join(' ') || e.getAttribute('aria-label') || [...(e.labels || [])].map(said).join(' ') || inside || e.title || e.alt;
  };
  const ringed = e => {
    const style = e && getComputedStyle(e);
    return style && ((style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || /0px 0px 0px [1-9]/.test(style.boxShadow));
  };
  const where = () => {
    const e = document.activeElement;
    if (!e || e === document.body || e === document.documentElement) { return {tag: 'BODY', name: '', seen: true, clear: true}; }
    e.dataset.csStop = e.dataset.csStop || String(Math.random());
    return {
      tag: e.tagName, type: e.type || '', name: clean(nameOf(e)), stop: e.dataset.csStop, clear: onTop(e),
      seen: [e, e.nextElementSibling, e.closest('label')].some(ringed),
    };
  };
  return {barriers, nameless, wide, cut, obscured, where};
})();
