namespace Lintel.Infrastructure;

/// <summary>The folder in which a server without SMTP leaves its mail. A message leaves the database when it gets here: this is where to look for it.</summary>
internal static class MailFolder
{
    /// <summary>The messages so far, oldest first, as they are sent.</summary>
    public static IEnumerable<string> Read(string dataFolder)
    {
        var folder = Path.Combine(dataFolder, "mail");
        return Directory.Exists(folder) ? Directory.GetFiles(folder, "*.eml").Order(StringComparer.Ordinal).Select(File.ReadAllText) : [];
    }

    /// <summary>The messages in which all <paramref name="words"/> stand, as soon as there are <paramref name="count"/>.</summary>
    public static async Task<string[]> WaitAsync(string dataFolder, int count, params string[] words)
    {
        string[] found = [];
        await Eventually.HoldsAsync(
            () => (found = [.. Read(dataFolder).Where(message => words.All(word => message.Contains(word, StringComparison.Ordinal)))]).Length >= count);
        return found;
    }
}
