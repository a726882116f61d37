using System.Reflection;
using System.Text;

namespace Lintel.Features.Accounts.Passwords;

/// <summary>The passwords that are tried first: <c>common-passwords.txt</c>, in lower case, one a line, in the order of their bytes. They stay as they are in the file, 168 KB, and are searched there.</summary>
internal sealed class CommonPasswords
{
    private readonly Lazy<byte[]> _lines = new(Load);

    /// <summary>Whether a password, in whatever case, is one of them.</summary>
    public bool Contains(string password)
    {
        var wanted = Encoding.UTF8.GetBytes(password.ToLowerInvariant());
        ReadOnlySpan<byte> lines = _lines.Value;
        while (!lines.IsEmpty)
        {
            // The line in the middle, or the one around it.
            var start = lines[..(lines.Length / 2)].LastIndexOf((byte)'\n') + 1;
            var end = start + lines[start..].IndexOf((byte)'\n');
            switch (lines[start..end].SequenceCompareTo(wanted))
            {
                case 0:
                    return true;
                case < 0:
                    lines = lines[(end + 1)..];
                    break;
                default:
                    lines = lines[..start];
                    break;
            }
        }

        return false;
    }

    private static byte[] Load()
    {
        using var file = Assembly.GetExecutingAssembly().GetManifestResourceStream("common-passwords.txt") ?? throw new InvalidOperationException("The list of common passwords is not part of the program.");
        var lines = new byte[file.Length];
        file.ReadExactly(lines);
        return lines;
    }
}
