// Fonts that every machine has: the viewer's own would come from another host.
const plain = "system-ui, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif";

Redoc.init(
  "/openapi.json",
  {
    expandResponses: "200,201,202",
    sortRequiredPropsFirst: true,
    theme: {
      typography: {
        fontFamily: plain,
        headings: { fontFamily: plain },
        code: { fontFamily: "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" },
      },
    },
  },
  document.getElementById("viewer"));
