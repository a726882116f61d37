using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Lintel.Platform.Configuration;
using Microsoft.AspNetCore.Http.Metadata;

namespace Lintel.Features.Accounts.Email;

/// <summary>A page of our own as a handler's answer.</summary>
internal sealed class LinkPage(int status, string html, string policy) : IResult, IStatusCodeHttpResult, IEndpointMetadataProvider
{
    int? IStatusCodeHttpResult.StatusCode => status;

    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = status;
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.ContentSecurityPolicy = policy;
        var bytes = Encoding.UTF8.GetBytes(html);
        response.ContentLength = bytes.Length;
        return response.Body.WriteAsync(bytes, httpContext.RequestAborted).AsTask();
    }

    // The API description is about the JSON.
    static void IEndpointMetadataProvider.PopulateMetadata(MethodInfo method, EndpointBuilder builder)
    {
    }
}

/// <summary>
/// What links in mail lead to. Opening one does nothing, for programs open links too: a button does it, by posting the token, without a script. The page loads nothing from anywhere,
/// sends no address of its own along, and cannot be shown inside another.
/// </summary>
internal sealed class LinkPages
{
    private readonly string _frame;
    private readonly string _policy;

    public LinkPages(ServerOptions server)
    {
        var style = ReadFile("account.css");
        _frame = ReadFile("account.html")
            .Replace("{{app}}", HtmlEncoder.Default.Encode(server.AppName), StringComparison.Ordinal)
            .Replace("{{style}}", style, StringComparison.Ordinal);
        var hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(style)));
        _policy = $"default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    }

    /// <summary>A button.</summary>
    /// <param name="action">The last part of the path that it posts to, which is the page's own.</param>
    public LinkPage Ask(string title, string text, string button, string action, string? token) =>
        token is not null && EmailSecrets.IsToken(token)
            ? Page(StatusCodes.Status200OK, title, $"""
                <p>{text}</p>
                <form method="post" action="{action}">
                <input type="hidden" name="token" value="{token}">
                <button>{button}</button>
                </form>
                """)
            : LinkIsOver();

    /// <summary>A field for a new password.</summary>
    /// <param name="fault">What was wrong with the last one.</param>
    public LinkPage AskForPassword(string? token, string? fault = null)
    {
        if (token is null || !EmailSecrets.IsToken(token))
        {
            return LinkIsOver();
        }

        var (alert, described) = fault is null
            ? ("", "rules")
            : ($"""<p class="fault" id="fault" role="alert">{HtmlEncoder.Default.Encode(fault)}</p>""", "fault rules");
        return Page(fault is null ? StatusCodes.Status200OK : StatusCodes.Status422UnprocessableEntity, "Choose a new password", $"""
            <form method="post" action="reset">
            <input type="hidden" name="token" value="{token}">
            <label for="password">New password</label>
            <input id="password" name="password" type="password" autocomplete="new-password" minlength="8" required aria-describedby="{described}"{(fault is null ? "" : " aria-invalid=\"true\" autofocus")}>
            {alert}
            <p class="hint" id="rules">At least 8 characters, and not one of the passwords that everybody uses. A few words that belong together only for you are good.</p>
            <button>Change password</button>
            </form>
            <p class="hint">You will be signed out everywhere.</p>
            """);
    }

    /// <summary>What happened.</summary>
    public LinkPage Tell(string title, string text) => Page(StatusCodes.Status200OK, title, $"""<p role="status">{text}</p>""");

    public LinkPage LinkIsOver() => Page(
        StatusCodes.Status422UnprocessableEntity,
        "This link is not good any more",
        """<p role="status">It was used, has expired, or your account has changed since. Ask for a new one where you asked for this.</p>""");

    private LinkPage Page(int status, string title, string content) =>
        new(status, _frame.Replace("{{title}}", title, StringComparison.Ordinal).Replace("{{content}}", content, StringComparison.Ordinal), _policy);

    private static string ReadFile(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Pages/" + name) ?? throw new InvalidOperationException($"{name} is not part of the program.");
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
