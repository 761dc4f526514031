// The rich text editor by keyboard and for screen readers, and its menus in the words of the console.
"use strict";

window.editorAccess = (() => {
  const BUTTON = ".jodit-toolbar-button__button:not([disabled])";
  const words = {
    zh_cn: {
      "Change mode": "源代码",
      "Insert format block": "段落格式",
      "Insert Special Character": "插入特殊符号",
      "Insert Unordered List": "无序列表",
      "Insert Ordered List": "有序列表",
      "Insert Horizontal Line": "插入分割线",
      "Insert link": "插入链接",
      "Insert table": "插入表格",
      "Line height": "行高",
      "Fill color or set the text color": "文字与背景颜色",
      "Open in fullsize": "全屏编辑（按 Esc 退出）",
      "Exit fullsize": "退出全屏",
      URL: "链接地址",
      Text: "文字",
      "Link title": "链接标题",
      Find: "查找和替换",
      Src: "图片地址",
      Title: "鼠标悬停提示",
      Alternative: "图片无法显示时的文字",
      Link: "点击图片打开的链接",
      Margins: "外边距",
      top: "上",
      right: "右",
      bottom: "下",
      left: "左",
      Classes: "类名",
      "Lower Alpha": "小写字母",
      "Lower Greek": "小写希腊字母",
      "Lower Roman": "小写罗马数字",
      "Upper Alpha": "大写字母",
      "Upper Roman": "大写罗马数字",
      "Table size": "表格大小",
      Close: "关闭",
      No: "否",
      "Type something": "输入邮件正文",
      "Paste as HTML": "粘贴为 HTML",
      "Please enter a web address": "请输入链接地址",
    },
    en: {
      "Change mode": "HTML source",
      "Insert format block": "Paragraph style",
      "Insert Special Character": "Insert a special character",
      "Insert Unordered List": "Bulleted list",
      "Insert Ordered List": "Numbered list",
      "Insert Horizontal Line": "Insert a line",
      "Insert link": "Insert a link",
      "Insert table": "Insert a table",
      "Font family": "Font",
      "Fill color or set the text color": "Colors of text and background",
      "Strike through": "Strikethrough",
      superscript: "Superscript",
      subscript: "Subscript",
      "Clear Formatting": "Clear formatting",
      "Increase Indent": "Increase indent",
      "Decrease Indent": "Decrease indent",
      "Open in fullsize": "Full screen (Esc leaves it)",
      "Exit fullsize": "Leave full screen",
      Find: "Find and replace",
      URL: "Address",
      Src: "Address of the picture",
      Alternative: "Text where pictures are off",
      Link: "Link behind the picture",
      "Vertical align": "Vertical alignment",
      "Type something": "Write the mail here",
    },
  };

  // Jodit calls its rows of buttons lists, and says of an item that it is pressed.
  function makeGroups(box) {
    box.querySelectorAll("[role='list'], [role='listitem']").forEach((part) => part.setAttribute("role", "group"));
    box.querySelectorAll("[role='group'][aria-pressed]").forEach((part) => part.removeAttribute("aria-pressed"));
  }

  // One stop for Tab: the button that was used last. The arrows between buttons and Alt+F10 are Jodit's.
  function makeToolbar(box) {
    makeGroups(box);
    const buttons = [...box.querySelectorAll(BUTTON)];
    if (!buttons.some((button) => button.tabIndex === 0)) buttons[0]?.setAttribute("tabindex", "0");
  }

  function rove(event, box) {
    const button = event.target.closest(BUTTON);
    if (!button) return;
    box.querySelectorAll(BUTTON).forEach((other) => other.setAttribute("tabindex", other === button ? "0" : "-1"));
  }

  function describe(popup, text) {
    const box = popup.container;
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-label", text.wordEditor);
    makeGroups(box);
    box.querySelectorAll(".jodit-ui-input").forEach((field) => {
      field.querySelector("input").setAttribute("aria-label", field.querySelector(".jodit-ui-input__label")?.textContent || "");
    });
    const address = box.querySelector("input[name='url']");
    if (address) address.placeholder = "https://  {{order_url}}";
    const first = box.querySelector(".parameter-panel input, .jodit-ui-form input, .jodit-form__container [tabindex='0']");
    setTimeout(() => first?.focus(), 50);
  }

  function open(editor, text) {
    const container = editor.container;
    const box = container.querySelector(".jodit-toolbar__box");
    const leave = (event) => {
      if (event.key !== "Escape") return;
      const dialog = document.querySelector(".jodit-dialog_active_true .jodit-toolbar-button_close button");
      if (dialog) dialog.click();
      else if (document.querySelector(".jodit-popup")) editor.e.fire("closeAllPopups hidePopup");
      else if (editor.isFullSize) editor.toggleFullSize(false);
    };
    box.setAttribute("role", "toolbar");
    box.setAttribute("aria-label", text.wordToolbar);
    editor.iframe?.setAttribute("title", text.wordEditor);
    editor.editor.setAttribute("aria-label", text.wordEditor);
    makeToolbar(box);
    // Buttons come and go with the width, and are renamed with what is selected.
    new MutationObserver(() => makeToolbar(box)).observe(box, { subtree: true, childList: true, attributeFilter: ["role", "aria-pressed", "disabled"] });
    box.addEventListener("focusin", (event) => rove(event, box));
    container.addEventListener("keydown", leave);
    editor.e.on("keydown", leave);
    editor.e.on("afterOpenPopup", (popup) => describe(popup, text));
    editor.e.on("afterSetMode", () => container.querySelector(".jodit-source__mirror")?.setAttribute("aria-label", text.wordSource));
  }

  return { words, open };
})();
