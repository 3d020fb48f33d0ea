// Runs before anything is painted, so that the choice of light or dark does not flash.
try {
  const chosen = localStorage.getItem("treaty-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
} catch {
  // A browser that keeps nothing follows the system.
}
