using System.Globalization;
using System.Net;
using Lintel.Baseline;

var port = int.Parse(Environment.GetEnvironmentVariable("PORT") ?? "8001", CultureInfo.InvariantCulture);

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));

var app = builder.Build();
app.UseWebSockets(new WebSocketOptions { KeepAliveInterval = Timeout.InfiniteTimeSpan });
app.MapGet("/empty", Empty.WriteAsync);
app.MapGet("/echo", Echo.RunAsync);
app.MapGet("/sse", Events.WriteAsync);
app.MapGet("/fan-out", new FanOut().RunAsync);
await app.RunAsync();
