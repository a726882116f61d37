using System.Text;
using Lintel.Cli.Api;
using Lintel.Cli.Beams;

namespace Lintel.Cli.Users;

/// <summary>A line of a table of users, or why it is none.</summary>
internal readonly record struct UserLine(int Line, ImportUser? User, string? Problem = null);

/// <summary>Reads a table of users line by line, however long it is. Columns may have the names that such tables have in other systems.</summary>
internal sealed class UserFile : IDisposable
{
    /// <summary>A quote that is never closed must not read the rest of the file into memory.</summary>
    private const int LongestRecord = 64 * 1024;

    private static readonly Dictionary<string, string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        ["email"] = "email",
        ["e-mail"] = "email",
        ["email_address"] = "email",
        ["name"] = "name",
        ["full_name"] = "name",
        ["fullname"] = "name",
        ["display_name"] = "name",
        ["password_hash"] = "password_hash",
        ["hashed_password"] = "password_hash",
        ["created_at"] = "created_at",
        ["created"] = "created_at",
        ["date_joined"] = "created_at",
        ["is_active"] = "is_active",
        ["active"] = "is_active",
        ["disabled"] = "disabled",
        ["email_verified"] = "email_verified",
        ["is_verified"] = "email_verified",
        ["role"] = "role",
        ["is_superuser"] = "is_admin",
        ["is_admin"] = "is_admin",
    };

    private readonly StreamReader _reader;
    private readonly List<string?> _columns;
    private readonly char _separator;
    private int _line = 1;

    private UserFile(StreamReader reader, string header)
    {
        _reader = reader;
        _separator = ((char[])[',', ';', '\t']).MaxBy(candidate => header.Count(c => c == candidate));
        _columns = [.. new CsvReader(header, _separator).Read()!.Select(static name => Names.GetValueOrDefault(name.Trim()))];
    }

    /// <summary>How much of it was read, from 0 to 1; null where nobody knows how long it is.</summary>
    public double? Progress => _reader.BaseStream is { CanSeek: true, Length: > 0 } file ? (double)file.Position / file.Length : null;

    public static UserFile Open(string path)
    {
        try
        {
            var reader = path == "-" ? new StreamReader(Console.OpenStandardInput(), Encoding.UTF8) : new StreamReader(path, Encoding.UTF8);
            var header = reader.ReadLine()?.TrimStart('\uFEFF');
            if (string.IsNullOrWhiteSpace(header))
            {
                throw new CommandException(ExitCode.BadData, $"{path} has no lines; its first one must name the columns, email among them.");
            }

            var file = new UserFile(reader, header);
            return file._columns.Contains("email")
                ? file
                : throw new CommandException(ExitCode.BadData, $"{path} has no column email; its first line must name the columns.");
        }
        catch (Exception absent) when (absent is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandException(ExitCode.NoInput, $"There is no file {path}.");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new CommandException(ExitCode.NoInput, $"{path} cannot be read: {failure.Message}", inner: failure);
        }
    }

    /// <summary>The next line that is not empty; null at the end.</summary>
    public UserLine? Read()
    {
        while (_reader.ReadLine() is { } text)
        {
            var line = ++_line;
            if (string.IsNullOrWhiteSpace(text))
            {
                continue;
            }

            // A quoted field may have line breaks: the record is whole when its quotes are.
            var record = new StringBuilder(text);
            var quotes = text.Count(static c => c == '"');
            while (quotes % 2 != 0 && record.Length <= LongestRecord && _reader.ReadLine() is { } more)
            {
                _line++;
                quotes += more.Count(static c => c == '"');
                record.Append('\n').Append(more);
            }

            return Parse(line, record.ToString());
        }

        return null;
    }

    public void Dispose() => _reader.Dispose();

    private UserLine Parse(int line, string record)
    {
        if (record.Length > LongestRecord)
        {
            return new(line, null, "The line is too long; perhaps a quote is not closed.");
        }

        List<string> fields;
        try
        {
            fields = new CsvReader(record, _separator).Read()!;
        }
        catch (FormatException)
        {
            return new(line, null, "A quote is not closed, or not where one may be.");
        }

        var user = new ImportUser("", null, null, null, true, false, null);
        for (var i = 0; i < Math.Min(fields.Count, _columns.Count); i++)
        {
            if (Set(ref user, _columns[i], fields[i].Trim()) is { } problem)
            {
                return new(line, null, problem);
            }
        }

        return fields.Count > _columns.Count
            ? new(line, null, $"The line has {fields.Count} fields, and the first line names {_columns.Count}.")
            : new(line, user);
    }

    private static string? Set(ref ImportUser user, string? column, string value)
    {
        if (value.Length == 0)
        {
            return null;
        }

        var flag = column is "is_active" or "disabled" or "email_verified" or "is_admin" ? Flag(value) : false;
        if (flag is not { } isSet)
        {
            return $"'{value[..Math.Min(value.Length, 20)]}' in the column {column} is neither true nor false.";
        }

        user = column switch
        {
            "email" => user with { Email = value },
            "name" => user with { Name = value },
            "password_hash" => user with { PasswordHash = value },
            "created_at" => user with { CreatedAt = value },
            "role" => user with { Role = value.ToLowerInvariant() },
            "is_active" => user with { IsActive = isSet },
            "disabled" => user with { IsActive = !isSet },
            "email_verified" => user with { EmailVerified = isSet },
            "is_admin" when isSet => user with { Role = "admin" },
            _ => user,
        };
        return null;
    }

    private static bool? Flag(string value) => value.ToLowerInvariant() switch
    {
        "true" or "t" or "1" or "yes" or "y" => true,
        "false" or "f" or "0" or "no" or "n" => false,
        _ => null,
    };
}
