// Quick choices of the hour of a send task, by the clocks of the account's time zone.
"use strict";

(() => {
  const DAY = 24 * 60 * 60 * 1000;

  function clock(moment, zone) {
    const format = new Intl.DateTimeFormat("en-CA", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
    });
    return Object.fromEntries(format.formatToParts(moment).map((part) => [part.type, part.value]));
  }

  // Days are counted on the calendar, so that a day of 23 hours is a day too.
  function morning(days, zone) {
    const { year, month, day } = clock(new Date(), zone);
    const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)) + days * DAY);
    return `${date.toISOString().slice(0, 10)}T09:00:00`;
  }

  function chosen(name, zone) {
    if (name === "tomorrow") return morning(1, zone);
    const { year, month, day } = clock(new Date(), zone);
    const weekday = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDay();
    if (name === "monday") return morning((8 - weekday) % 7 || 7, zone);
    const soon = clock(new Date(Date.now() + 60 * 60 * 1000), zone);
    return `${soon.year}-${soon.month}-${soon.day}T${soon.hour}:${soon.minute}:${soon.second}`;
  }

  taskForm.add((form) => {
    const box = form.querySelector("[data-zone]");
    const quick = box.querySelector("[data-quick]");
    const field = box.querySelector("input");
    try {
      clock(new Date(), box.dataset.zone);
    } catch {
      return; // a zone that this browser does not know
    }
    quick.hidden = false;
    quick.addEventListener("click", (event) => {
      const button = event.target.closest("[data-moment]");
      if (!button) return;
      field.value = chosen(button.dataset.moment, box.dataset.zone);
      field.dispatchEvent(new Event("change", { bubbles: true }));
    });
  });
})();
