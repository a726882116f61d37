using System.Collections.Frozen;
using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;

namespace Lintel.Features.Mail;

/// <summary>A message as people read it.</summary>
internal sealed record MailText(string Subject, string Text, string Html);

/// <summary>
/// One kind of message: <c>Mail/name.txt</c>, whose first line is the subject, and <c>Mail/name.html</c>, which <c>frame.html</c> is put around. <c>{{field}}</c> stands for a value; a
/// line of a field without a value is left out.
/// </summary>
internal sealed class MailTemplate
{
    private const string MessageMark = "<!-- message -->\n";
    private const string SubjectMark = "Subject: ";
    private const int MaxSubject = 200;

    private readonly string _subject;
    private readonly string[] _text;
    private readonly string[] _html;

    public MailTemplate(string name, string text, string html)
    {
        Name = name;
        var lines = Lines(text);
        _subject = lines[0].StartsWith(SubjectMark, StringComparison.Ordinal)
            ? lines[0][SubjectMark.Length..]
            : throw new InvalidOperationException($"The first line of the template {name} must be its subject.");
        _text = lines[1..];
        _html = Lines(html);
    }

    public string Name { get; }

    /// <summary>The template of that name among the files of this program.</summary>
    public static MailTemplate Load(string name) => new(
        name,
        ReadFile($"Mail/{name}.txt"),
        ReadFile("Mail/frame.html").ReplaceLineEndings("\n").Replace(MessageMark, ReadFile($"Mail/{name}.html"), StringComparison.Ordinal));

    /// <summary>Whatever the values hold, they stay text: no header, no line of their own in the subject, no HTML.</summary>
    public MailText Render(IReadOnlyDictionary<string, string?> fields)
    {
        var subject = OneLine(Fill([_subject], fields, static value => value));
        return new MailText(
            subject.Length <= MaxSubject ? subject : Shorten(subject) + "…",
            Fill(_text, fields, Printable).Trim() + "\r\n",
            Fill(_html, fields, static value => HtmlEncoder.Default.Encode(Printable(value)).Replace("&#xA;", "<br>", StringComparison.Ordinal)));
    }

    private static string Fill(string[] lines, IReadOnlyDictionary<string, string?> fields, Func<string, string> encode)
    {
        var text = new StringBuilder();
        foreach (var line in lines)
        {
            var start = text.Length;
            if (!FillLine(text, line, fields, encode))
            {
                text.Length = start;
                continue;
            }

            text.Append("\r\n");
        }

        return text.ToString();
    }

    /// <summary>False where a field of the line has no value.</summary>
    private static bool FillLine(StringBuilder text, string line, IReadOnlyDictionary<string, string?> fields, Func<string, string> encode)
    {
        // In one pass: a value that looks like a field is not one.
        var rest = line.AsSpan();
        while (rest.IndexOf("{{", StringComparison.Ordinal) is var open && open >= 0)
        {
            var close = rest.IndexOf("}}", StringComparison.Ordinal);
            var name = rest[(open + 2)..close].ToString();
            if (!fields.TryGetValue(name, out var value))
            {
                throw new KeyNotFoundException($"A template has the field {name}, for which there is no value.");
            }

            if (string.IsNullOrEmpty(value))
            {
                return false;
            }

            text.Append(rest[..open]).Append(encode(value));
            rest = rest[(close + 2)..];
        }

        text.Append(rest);
        return true;
    }

    private static string OneLine(string text)
    {
        var line = new StringBuilder(text.Length);
        foreach (var character in text)
        {
            line.Append(char.IsControl(character) || character is '\u2028' or '\u2029' ? ' ' : character);
        }

        // Readers decode an encoded word wherever it stands, line breaks and all.
        return line.Replace("=?", "= ?").ToString().Trim();
    }

    private static string Shorten(string subject) => subject[..(char.IsHighSurrogate(subject[MaxSubject - 2]) ? MaxSubject - 2 : MaxSubject - 1)];

    private static string Printable(string text) =>
        string.Concat(text.ReplaceLineEndings("\n").Where(static character => character is '\n' or '\t' || !char.IsControl(character)));

    private static string[] Lines(string text) => text.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n');

    private static string ReadFile(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(name) ?? throw new InvalidOperationException($"There is no file {name} in this program.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}

/// <summary>The templates of all features.</summary>
internal sealed class MailTemplates(IEnumerable<MailTemplate> templates)
{
    private readonly FrozenDictionary<string, MailTemplate> _templates = templates.ToFrozenDictionary(static template => template.Name, StringComparer.Ordinal);

    public MailTemplate? Find(string name) => _templates.GetValueOrDefault(name);
}
