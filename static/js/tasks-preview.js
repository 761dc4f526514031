// The mail beside the form 新建发送任务: typed sample values show in its body without a flash.
"use strict";

(() => {
  let waiting = 0;
  let number = 0;

  // A new frame each time, shown once it is loaded: the old one stays until then, and the back button knows of none.
  function reload(panel) {
    const stage = panel.querySelector("[data-stage]");
    if (!stage) return;
    const frame = taskForm.element("iframe", "task-frame is-coming");
    number += 1;
    frame.name = `task-frame-${number}`;
    frame.title = panel.dataset.frameTitle;
    frame.setAttribute("sandbox", "");
    stage.querySelectorAll(".is-coming").forEach((other) => other.remove());
    stage.append(frame);
    const sender = Object.assign(document.createElement("form"), {
      method: "post", action: panel.dataset.frame, target: frame.name, hidden: true,
    });
    const add = (name, value) => sender.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
    const form = taskForm.form();
    add("csrfmiddlewaretoken", form.querySelector("[name='csrfmiddlewaretoken']").value);
    add("template", form.querySelector("#id_template").value);
    panel.querySelectorAll(".task-samples input").forEach((input) => add(input.name, input.value));
    document.body.append(sender);
    sender.submit();
    sender.remove();
    frame.addEventListener("load", () => {
      if (!frame.isConnected) return;
      stage.querySelectorAll("iframe").forEach((other) => { if (other !== frame) other.remove(); });
      frame.classList.remove("is-coming");
    });
  }

  taskForm.add((form) => {
    const panel = form.querySelector("#task-preview");
    panel.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => reload(panel), 400);
    });
    // Who tries values does not mean to send the task by Enter.
    panel.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.closest(".task-samples")) event.preventDefault();
    });
    if (panel.querySelector("[data-is-cut]")) reload(panel);
    // A browser that goes back fills the fields as they were left, after the page was made.
    const shown = form.querySelector("[name='samples_of']").value;
    if (form.querySelector("#id_template").value !== shown) htmx.trigger(panel, "mail-changed");
  });

  document.addEventListener("htmx:oobAfterSwap", (event) => {
    const panel = document.getElementById("task-preview");
    if (event.detail.target?.id === "task-body" && panel?.querySelector("[data-is-cut]")) reload(panel);
  });

  // Whoever was signed out meanwhile would lose what is typed to the sign-in page; sending the form keeps it.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const panel = document.getElementById("task-preview");
    if (!panel?.contains(event.detail.elt) || !event.detail.xhr.getResponseHeader("HX-Redirect")) return;
    event.preventDefault();
    if (event.detail.elt.id !== "task-test") return;
    const result = document.getElementById("task-test-result");
    result.querySelector(".alert")?.remove();
    result.append(taskForm.element("div", "alert alert-warning", event.detail.elt.dataset.textSignedOut));
  });
})();
